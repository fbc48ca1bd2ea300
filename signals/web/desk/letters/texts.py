"""The words of letter and card, by language.

Dutch and English are the project's own. The other six were translated by the project and wait for a native
reading (`WAITING_FOR_A_NATIVE_READING`): a reader who approves one takes it off that list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WAITING_FOR_A_NATIVE_READING: Final = frozenset({"pl", "ar", "tr", "bg", "ro", "uk"})

RIGHT_TO_LEFT: Final = frozenset({"ar"})


@dataclass(frozen=True, kw_only=True)
class Words:
    """One language. `{days}` and `{organisation}` are filled in; everything else stands as it is."""

    title: str
    to: str
    reference: str
    date: str
    lead: Sequence[str]
    contact: str
    phone: str
    email: str
    officer: str
    keep_reference: str
    what: str
    what_items: Sequence[str]
    why: str
    why_text: str
    ground: str
    ground_unknown: str
    long: str
    long_concluded: str
    long_unattended: str
    long_limit: str
    long_link: str
    source: str
    source_text: str
    others: str
    others_text: str
    rights: str
    rights_items: Sequence[str]
    complaint: str
    card_title: str
    card_text: Sequence[str]
    card_when: str


TEXTS: Final[Mapping[str, Words]] = {
    "nl": Words(
        title="Wij willen u graag spreken",
        to="Aan de bewoner van",
        reference="Kenmerk",
        date="Datum",
        lead=(
            "Een bezorger maakte zich zorgen om een bewoner van dit adres en gaf dat aan ons door. Wij vragen"
            " graag hoe het met u gaat en of u iets nodig hebt.",
            "U bent niet verplicht om met ons te praten. U hebt niets verkeerd gedaan.",
        ),
        contact="Hoe u ons bereikt",
        phone="Telefoon",
        email="E-mail",
        officer="Functionaris gegevensbescherming",
        keep_reference="Noem het kenmerk als u belt of schrijft. Dan kunnen wij u meteen helpen.",
        what="Wat wij bewaren",
        what_items=(
            "Dit adres.",
            "Wat de bezorger opviel. Dat kan iets over uw gezondheid zeggen.",
            "Wanneer en hoe wij contact met u zochten, en onze aantekeningen daarover.",
        ),
        why="Waarom",
        why_text="Om na te gaan of iemand hulp nodig heeft, en om die hulp aan te bieden.",
        ground="Op welke grond",
        ground_unknown="Vraag ons op welke grond in de wet wij dit doen.",
        long="Hoe lang",
        long_concluded="Tot {days} nadat wij klaar zijn. Dan verwijderen wij alles.",
        long_unattended="Doet niemand iets met de melding en hebt u niets gehoord: tot {days} na ontvangst.",
        long_limit="In elk geval nooit langer dan {days} na ontvangst.",
        long_link="Alleen een code die van dit adres is gemaakt, bewaren wij 12 maanden. Zo zien wij of er"
        " nog een melding komt. Het adres zelf staat er niet in.",
        source="Van wie wij dit weten",
        source_text="Van een bezorger. Wij weten niet wie.",
        others="Wie het nog meer krijgt",
        others_text="Niemand zonder goede reden. Kan een andere organisatie u beter helpen, dan kunnen wij de"
        " melding aan die organisatie overdragen. Geen computer neemt een besluit over u.",
        rights="Uw rechten",
        rights_items=(
            "U mag zien wat wij over u bewaren.",
            "U mag het laten verbeteren of laten verwijderen.",
            "U mag vragen om het tijdelijk niet te gebruiken.",
            "U mag bezwaar maken.",
        ),
        complaint="Vraag het ons, of vraag naar onze functionaris gegevensbescherming. Bent u het niet met"
        " ons eens? Dan kunt u een klacht indienen bij de Autoriteit Persoonsgegevens:"
        " autoriteitpersoonsgegevens.nl.",
        card_title="Wij stonden voor uw deur",
        card_text=(
            "Wij wilden u graag even spreken.",
            "Belt of mailt u ons? Wij komen graag een andere keer langs.",
            "U bent niets verplicht.",
        ),
        card_when="Wij waren er op",
    ),
    "en": Words(
        title="We would like to talk to you",
        to="To the resident of",
        reference="Reference",
        date="Date",
        lead=(
            "A delivery worker was worried about a resident of this address and passed this on to us. We"
            " would like to ask how you are and whether you need anything.",
            "You do not have to talk to us. You have done nothing wrong.",
        ),
        contact="How to reach us",
        phone="Telephone",
        email="E-mail",
        officer="Data protection officer",
        keep_reference="Give the reference when you call or write. Then we can help you at once.",
        what="What we keep",
        what_items=(
            "This address.",
            "What the delivery worker noticed. This may say something about your health.",
            "When and how we tried to reach you, and our notes about it.",
        ),
        why="Why",
        why_text="To find out whether somebody needs help, and to offer that help.",
        ground="On which legal ground",
        ground_unknown="Ask us on which ground in the law we do this.",
        long="For how long",
        long_concluded="Until {days} after we have finished. Then we delete everything.",
        long_unattended="If nobody acts on the report and you heard nothing: until {days} after we"
        " received it.",
        long_limit="In any case never longer than {days} after we received it.",
        long_link="Only a code made from this address is kept for 12 months. With it we see whether another"
        " report comes in. The address itself is not in it.",
        source="Who told us",
        source_text="A delivery worker. We do not know who.",
        others="Who else receives it",
        others_text="Nobody without a good reason. If another organisation can help you better, we may"
        " hand the report over to them. No computer takes a decision about you.",
        rights="Your rights",
        rights_items=(
            "You may see what we keep about you.",
            "You may have it corrected or deleted.",
            "You may ask us not to use it for a while.",
            "You may object.",
        ),
        complaint="Ask us, or ask for our data protection officer. Do you disagree with us? Then you can"
        " complain to the Dutch data protection authority: autoriteitpersoonsgegevens.nl.",
        card_title="We were at your door",
        card_text=(
            "We would have liked to talk to you.",
            "Will you call or e-mail us? We are glad to come back another time.",
            "You do not have to.",
        ),
        card_when="We were here on",
    ),
    "pl": Words(
        title="Chcielibyśmy z Państwem porozmawiać",
        to="Do mieszkańca adresu",
        reference="Numer sprawy",
        date="Data",
        lead=(
            "Doręczyciel zaniepokoił się o osobę mieszkającą pod tym adresem i przekazał nam tę informację."
            " Chcielibyśmy zapytać, jak się Państwo czują i czy czegoś Państwu potrzeba.",
            "Rozmowa z nami jest dobrowolna. Nie zrobili Państwo nic złego.",
        ),
        contact="Jak się z nami skontaktować",
        phone="Telefon",
        email="E-mail",
        officer="Inspektor ochrony danych",
        keep_reference="Dzwoniąc lub pisząc, prosimy podać numer sprawy. Wtedy od razu będziemy mogli pomóc.",
        what="Co przechowujemy",
        what_items=(
            "Ten adres.",
            "To, co zauważył doręczyciel. Może to mówić coś o Państwa zdrowiu.",
            "Kiedy i w jaki sposób próbowaliśmy się skontaktować oraz nasze notatki na ten temat.",
        ),
        why="Dlaczego",
        why_text="Aby sprawdzić, czy ktoś potrzebuje pomocy, i tę pomoc zaproponować.",
        ground="Na jakiej podstawie prawnej",
        ground_unknown="Prosimy zapytać nas o podstawę prawną.",
        long="Jak długo",
        long_concluded="Termin po zakończeniu sprawy: {days}. Potem wszystko usuwamy.",
        long_unattended="Jeśli nikt nie zajmie się zgłoszeniem i nie otrzymają Państwo żadnej wiadomości,"
        " termin od otrzymania zgłoszenia: {days}.",
        long_limit="W każdym przypadku najdłuższy termin od otrzymania zgłoszenia: {days}.",
        long_link="Przez 12 miesięcy przechowujemy jedynie kod utworzony z tego adresu. Dzięki niemu"
        " widzimy, czy pojawiło się kolejne zgłoszenie. Sam adres nie jest w nim zapisany.",
        source="Od kogo to wiemy",
        source_text="Od doręczyciela. Nie wiemy, kto to był.",
        others="Kto jeszcze to otrzymuje",
        others_text="Nikt bez ważnego powodu. Jeśli inna organizacja może lepiej pomóc, możemy przekazać jej"
        " zgłoszenie. Żaden komputer nie podejmuje decyzji w Państwa sprawie.",
        rights="Państwa prawa",
        rights_items=(
            "Mogą Państwo zobaczyć, jakie dane przechowujemy.",
            "Mogą Państwo zażądać ich poprawienia lub usunięcia.",
            "Mogą Państwo poprosić, abyśmy przez pewien czas ich nie używali.",
            "Mogą Państwo wnieść sprzeciw.",
        ),
        complaint="Prosimy zwrócić się do nas lub do naszego inspektora ochrony danych. Jeśli nie zgadzają"
        " się Państwo z nami, można złożyć skargę do holenderskiego organu ochrony danych:"
        " autoriteitpersoonsgegevens.nl.",
        card_title="Byliśmy pod Państwa drzwiami",
        card_text=(
            "Chcieliśmy z Państwem porozmawiać.",
            "Prosimy o telefon lub e-mail. Chętnie przyjdziemy innym razem.",
            "Kontakt jest dobrowolny.",
        ),
        card_when="Byliśmy tu",
    ),
    "ar": Words(
        title="نود أن نتحدث معك",
        to="إلى المقيم في العنوان",
        reference="الرقم المرجعي",
        date="التاريخ",
        lead=(
            "شعر أحد موزعي البريد أو الطرود بالقلق على شخص يسكن في هذا العنوان وأبلغنا بذلك."
            " نود أن نسألك عن حالك وهل تحتاج إلى شيء.",
            "لست ملزما بالتحدث معنا. ولم ترتكب أي خطأ.",
        ),
        contact="كيف تتواصل معنا",
        phone="الهاتف",
        email="البريد الإلكتروني",
        officer="مسؤول حماية البيانات",
        keep_reference="اذكر الرقم المرجعي عند الاتصال أو الكتابة إلينا، فنستطيع مساعدتك فورا.",
        what="ما الذي نحتفظ به",
        what_items=(
            "هذا العنوان.",
            "ما لاحظه الموزع. وقد يدل ذلك على شيء يتعلق بصحتك.",
            "متى وكيف حاولنا التواصل معك، وملاحظاتنا حول ذلك.",
        ),
        why="لماذا",
        why_text="لمعرفة ما إذا كان شخص ما يحتاج إلى مساعدة، ولعرض هذه المساعدة عليه.",
        ground="على أي أساس قانوني",
        ground_unknown="اسألنا عن الأساس القانوني الذي نستند إليه.",
        long="إلى متى",
        long_concluded="المدة بعد انتهاء عملنا: {days}. ثم نحذف كل شيء.",
        long_unattended="إذا لم يتابع أحد البلاغ ولم تصلك أي رسالة، فالمدة بعد استلام البلاغ: {days}.",
        long_limit="وفي كل الأحوال أقصى مدة بعد استلام البلاغ: {days}.",
        long_link="نحتفظ لمدة 12 شهرا برمز مشتق من هذا العنوان فقط، لنعرف هل وصل بلاغ آخر. ولا يحتوي"
        " الرمز على العنوان نفسه.",
        source="ممن علمنا بذلك",
        source_text="من موزع بريد أو طرود. ولا نعرف من هو.",
        others="من يحصل عليها أيضا",
        others_text="لا أحد دون سبب وجيه. إذا كانت جهة أخرى أقدر على مساعدتك، فقد نحيل البلاغ إليها. ولا"
        " يتخذ أي حاسوب قرارا بشأنك.",
        rights="حقوقك",
        rights_items=(
            "يحق لك الاطلاع على ما نحتفظ به عنك.",
            "يحق لك طلب تصحيحه أو حذفه.",
            "يحق لك أن تطلب عدم استخدامه مؤقتا.",
            "يحق لك الاعتراض.",
        ),
        complaint="اسألنا، أو اطلب التحدث إلى مسؤول حماية البيانات لدينا. إذا لم تتفق معنا، فيمكنك تقديم"
        " شكوى إلى هيئة حماية البيانات الهولندية: autoriteitpersoonsgegevens.nl.",
        card_title="كنا عند باب منزلك",
        card_text=(
            "كنا نود أن نتحدث معك قليلا.",
            "هل يمكنك الاتصال بنا أو مراسلتنا؟ يسعدنا أن نأتي في وقت آخر.",
            "لست ملزما بأي شيء.",
        ),
        card_when="كنا هنا في",
    ),
    "tr": Words(
        title="Sizinle görüşmek istiyoruz",
        to="Bu adreste oturan kişiye",
        reference="Dosya numarası",
        date="Tarih",
        lead=(
            "Bir dağıtım görevlisi bu adreste oturan biri için endişelendi ve bunu bize bildirdi. Nasıl"
            " olduğunuzu ve bir şeye ihtiyacınız olup olmadığını sormak istiyoruz.",
            "Bizimle konuşmak zorunda değilsiniz. Yanlış bir şey yapmadınız.",
        ),
        contact="Bize nasıl ulaşırsınız",
        phone="Telefon",
        email="E-posta",
        officer="Veri koruma görevlisi",
        keep_reference="Ararken veya yazarken dosya numarasını belirtin. Böylece size hemen yardımcı"
        " olabiliriz.",
        what="Neleri saklıyoruz",
        what_items=(
            "Bu adresi.",
            "Dağıtım görevlisinin fark ettiklerini. Bunlar sağlığınız hakkında bir şey söyleyebilir.",
            "Size ne zaman ve nasıl ulaşmaya çalıştığımızı ve bununla ilgili notlarımızı.",
        ),
        why="Neden",
        why_text="Birinin yardıma ihtiyacı olup olmadığını anlamak ve bu yardımı sunmak için.",
        ground="Hangi yasal dayanakla",
        ground_unknown="Yasal dayanağımızı bize sorabilirsiniz.",
        long="Ne kadar süreyle",
        long_concluded="İşimiz bittikten sonraki süre: {days}. Sonra her şeyi sileriz.",
        long_unattended="Bildirimle kimse ilgilenmezse ve size haber verilmezse, bildirimi aldıktan"
        " sonraki süre: {days}.",
        long_limit="Her durumda, bildirimi aldıktan sonraki en uzun süre: {days}.",
        long_link="Yalnızca bu adresten oluşturulan bir kodu 12 ay saklarız. Böylece yeni bir bildirim gelip"
        " gelmediğini görürüz. Adresin kendisi bu kodda yer almaz.",
        source="Bunu kimden biliyoruz",
        source_text="Bir dağıtım görevlisinden. Kim olduğunu bilmiyoruz.",
        others="Başka kim alır",
        others_text="Geçerli bir neden olmadan hiç kimse. Başka bir kuruluş size daha iyi yardım"
        " edebilecekse, bildirimi o kuruluşa devredebiliriz. Hakkınızda hiçbir bilgisayar karar vermez.",
        rights="Haklarınız",
        rights_items=(
            "Hakkınızda ne sakladığımızı görebilirsiniz.",
            "Bunların düzeltilmesini veya silinmesini isteyebilirsiniz.",
            "Bunların bir süre kullanılmamasını isteyebilirsiniz.",
            "İtiraz edebilirsiniz.",
        ),
        complaint="Bize sorun veya veri koruma görevlimizle görüşmek istediğinizi söyleyin. Bizimle aynı"
        " fikirde değilseniz, Hollanda veri koruma kurumuna şikâyette bulunabilirsiniz:"
        " autoriteitpersoonsgegevens.nl.",
        card_title="Kapınıza geldik",
        card_text=(
            "Sizinle kısaca görüşmek istemiştik.",
            "Bizi arar veya bize e-posta yazar mısınız? Başka bir zaman gelmekten memnuniyet duyarız.",
            "Hiçbir şeye mecbur değilsiniz.",
        ),
        card_when="Geldiğimiz tarih",
    ),
    "bg": Words(
        title="Бихме искали да поговорим с Вас",
        to="До живеещия на адрес",
        reference="Номер",
        date="Дата",
        lead=(
            "Доставчик се разтревожи за човек, който живее на този адрес, и ни съобщи това. Бихме искали да"
            " попитаме как сте и дали имате нужда от нещо.",
            "Не сте длъжни да разговаряте с нас. Не сте направили нищо нередно.",
        ),
        contact="Как да се свържете с нас",
        phone="Телефон",
        email="Имейл",
        officer="Длъжностно лице по защита на данните",
        keep_reference="Когато се обаждате или пишете, посочете номера. Така ще можем да помогнем веднага.",
        what="Какво съхраняваме",
        what_items=(
            "Този адрес.",
            "Това, което е забелязал доставчикът. То може да говори за здравето Ви.",
            "Кога и как сме се опитали да се свържем с Вас и нашите бележки за това.",
        ),
        why="Защо",
        why_text="За да разберем дали някой се нуждае от помощ и да предложим тази помощ.",
        ground="На какво правно основание",
        ground_unknown="Попитайте ни на какво законово основание правим това.",
        long="Колко дълго",
        long_concluded="Срок, след като приключим: {days}. След това изтриваме всичко.",
        long_unattended="Ако никой не обработи сигнала и не сте получили известие, срок след получаването:"
        " {days}.",
        long_limit="Във всеки случай най-дългият срок след получаването: {days}.",
        long_link="Само код, създаден от този адрес, се пази 12 месеца. Чрез него виждаме дали постъпва нов"
        " сигнал. Самият адрес не се съдържа в него.",
        source="От кого знаем това",
        source_text="От доставчик. Не знаем кой е.",
        others="Кой още го получава",
        others_text="Никой без основателна причина. Ако друга организация може да Ви помогне по-добре,"
        " можем да ѝ предадем сигнала. Никой компютър не взема решения за Вас.",
        rights="Вашите права",
        rights_items=(
            "Можете да видите какво съхраняваме за Вас.",
            "Можете да поискате то да бъде поправено или изтрито.",
            "Можете да поискате временно да не се използва.",
            "Можете да възразите.",
        ),
        complaint="Обърнете се към нас или към нашето длъжностно лице по защита на данните. Ако не сте"
        " съгласни с нас, можете да подадете жалба до нидерландския орган за защита на данните:"
        " autoriteitpersoonsgegevens.nl.",
        card_title="Бяхме пред вратата Ви",
        card_text=(
            "Искахме да поговорим с Вас.",
            "Ще ни се обадите ли или ще ни пишете ли? С радост ще дойдем друг път.",
            "Не сте длъжни да правите нищо.",
        ),
        card_when="Бяхме тук на",
    ),
    "ro": Words(
        title="Am dori să vorbim cu dumneavoastră",
        to="Către locatarul de la adresa",
        reference="Număr de referință",
        date="Data",
        lead=(
            "Un curier și-a făcut griji pentru o persoană care locuiește la această adresă și ne-a"
            " transmis acest lucru. Am dori să vă întrebăm cum vă simțiți și dacă aveți nevoie de ceva.",
            "Nu sunteți obligat să vorbiți cu noi. Nu ați făcut nimic greșit.",
        ),
        contact="Cum ne puteți contacta",
        phone="Telefon",
        email="E-mail",
        officer="Responsabilul cu protecția datelor",
        keep_reference="Menționați numărul de referință când sunați sau scrieți. Astfel vă putem ajuta"
        " imediat.",
        what="Ce păstrăm",
        what_items=(
            "Această adresă.",
            "Ce a observat curierul. Acest lucru poate spune ceva despre sănătatea dumneavoastră.",
            "Când și cum am încercat să vă contactăm și notițele noastre despre aceasta.",
        ),
        why="De ce",
        why_text="Pentru a afla dacă cineva are nevoie de ajutor și pentru a oferi acest ajutor.",
        ground="În baza cărui temei legal",
        ground_unknown="Întrebați-ne care este temeiul legal.",
        long="Cât timp",
        long_concluded="Termen după ce am încheiat: {days}. Apoi ștergem totul.",
        long_unattended="Dacă nimeni nu dă curs semnalării și nu ați primit niciun mesaj, termen de la"
        " primire: {days}.",
        long_limit="În orice caz, termenul maxim de la primire: {days}.",
        long_link="Păstrăm 12 luni numai un cod creat din această adresă. Astfel vedem dacă vine o nouă"
        " semnalare. Adresa în sine nu se află în cod.",
        source="De la cine știm",
        source_text="De la un curier. Nu știm cine este.",
        others="Cine mai primește datele",
        others_text="Nimeni fără un motiv întemeiat. Dacă o altă organizație vă poate ajuta mai bine, îi"
        " putem preda semnalarea. Niciun calculator nu ia decizii în privința dumneavoastră.",
        rights="Drepturile dumneavoastră",
        rights_items=(
            "Puteți vedea ce păstrăm despre dumneavoastră.",
            "Puteți cere corectarea sau ștergerea datelor.",
            "Puteți cere să nu fie folosite pentru o perioadă.",
            "Vă puteți opune.",
        ),
        complaint="Adresați-vă nouă sau responsabilului nostru cu protecția datelor. Dacă nu sunteți de"
        " acord cu noi, puteți depune o plângere la autoritatea olandeză pentru protecția datelor:"
        " autoriteitpersoonsgegevens.nl.",
        card_title="Am fost la ușa dumneavoastră",
        card_text=(
            "Am fi dorit să vorbim puțin cu dumneavoastră.",
            "Ne sunați sau ne scrieți? Revenim cu plăcere altă dată.",
            "Nu sunteți obligat la nimic.",
        ),
        card_when="Am fost aici la data de",
    ),
    "uk": Words(
        title="Ми хотіли б поговорити з вами",
        to="Мешканцю за адресою",
        reference="Номер звернення",
        date="Дата",
        lead=(
            "Кур'єр занепокоївся через людину, яка живе за цією адресою, і повідомив про це нам. Ми хотіли б"
            " запитати, як ви почуваєтеся і чи вам щось потрібно.",
            "Ви не зобов'язані з нами розмовляти. Ви не зробили нічого поганого.",
        ),
        contact="Як з нами зв'язатися",
        phone="Телефон",
        email="Електронна пошта",
        officer="Посадова особа із захисту даних",
        keep_reference="Коли телефонуєте або пишете, назвіть номер звернення. Тоді ми зможемо допомогти"
        " одразу.",
        what="Що ми зберігаємо",
        what_items=(
            "Цю адресу.",
            "Те, що помітив кур'єр. Це може свідчити про стан вашого здоров'я.",
            "Коли і як ми намагалися з вами зв'язатися, а також наші нотатки про це.",
        ),
        why="Навіщо",
        why_text="Щоб з'ясувати, чи комусь потрібна допомога, і запропонувати цю допомогу.",
        ground="На якій правовій підставі",
        ground_unknown="Запитайте нас, на якій правовій підставі ми це робимо.",
        long="Як довго",
        long_concluded="Строк після завершення роботи: {days}. Потім ми все видаляємо.",
        long_unattended="Якщо ніхто не опрацює звернення і вас не повідомлять, строк після отримання:"
        " {days}.",
        long_limit="У будь-якому разі найдовший строк після отримання: {days}.",
        long_link="Лише код, створений з цієї адреси, зберігається 12 місяців. За ним ми бачимо, чи"
        " надійшло нове звернення. Самої адреси в ньому немає.",
        source="Від кого ми це знаємо",
        source_text="Від кур'єра. Ми не знаємо, хто це.",
        others="Хто ще це отримує",
        others_text="Ніхто без вагомої причини. Якщо інша організація може допомогти вам краще, ми можемо"
        " передати їй звернення. Жоден комп'ютер не ухвалює рішень щодо вас.",
        rights="Ваші права",
        rights_items=(
            "Ви можете побачити, що ми про вас зберігаємо.",
            "Ви можете вимагати виправити або видалити ці дані.",
            "Ви можете попросити тимчасово їх не використовувати.",
            "Ви можете заперечити проти обробки.",
        ),
        complaint="Зверніться до нас або до нашої відповідальної особи із захисту даних. Якщо ви з нами не"
        " згодні, можете подати скаргу до нідерландського органу із захисту даних:"
        " autoriteitpersoonsgegevens.nl.",
        card_title="Ми були біля ваших дверей",
        card_text=(
            "Ми хотіли б трохи поговорити з вами.",
            "Зателефонуєте чи напишете нам? Ми охоче прийдемо іншим разом.",
            "Ви ні до чого не зобов'язані.",
        ),
        card_when="Ми були тут",
    ),
}
