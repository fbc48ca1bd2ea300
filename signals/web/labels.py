"""The carrier's words in eight languages, one table: an app gets all of them at once from `GET /form`.

Dutch is B1. The other languages were written by the makers and wait for a reading by native
speakers (docs/operations.md).
"""

from collections.abc import Mapping

from signals.vocabulary import LANGUAGES, ConcernType, Seen

Labels = Mapping[str, str]


def _labels(*texts: str) -> Labels:
    return dict(zip(LANGUAGES, texts, strict=True))


CONCERN_TYPES: Mapping[ConcernType, Labels] = {
    ConcernType.MAIL_PILING_UP: _labels(
        "Post of pakketten stapelen op",
        "Mail or parcels piling up",
        "Poczta lub paczki się gromadzą",
        "البريد أو الطرود تتراكم",
        "Posta veya paketler birikiyor",
        "Трупат се писма или пратки",
        "Se adună scrisori sau colete",
        "Збираються листи або посилки",
    ),
    ConcernType.NOT_SEEN: _labels(
        "Doet niet meer open, lang niet gezien",
        "No longer answers, not seen for long",
        "Nie otwiera, dawno niewidziany",
        "لم يعد يفتح الباب، لم يُرَ منذ مدة",
        "Kapıyı açmıyor, uzun süredir görülmedi",
        "Не отваря, отдавна не е виждан",
        "Nu mai deschide, nu a fost văzut demult",
        "Не відчиняє, давно не бачили",
    ),
    ConcernType.SEEMS_LONELY: _labels(
        "Lijkt eenzaam, zoekt contact",
        "Seems lonely, seeks contact",
        "Wydaje się samotny, szuka kontaktu",
        "يبدو وحيدًا ويبحث عن تواصل",
        "Yalnız görünüyor, sohbet arıyor",
        "Изглежда самотен, търси контакт",
        "Pare singur, caută companie",
        "Здається самотнім, шукає спілкування",
    ),
    ConcernType.CONFUSED: _labels(
        "Maakt een verwarde indruk",
        "Appears confused",
        "Sprawia wrażenie zagubionego",
        "يبدو مشوش الذهن",
        "Kafası karışık görünüyor",
        "Изглежда объркан",
        "Pare confuz",
        "Здається розгубленим",
    ),
    ConcernType.SELF_NEGLECT: _labels(
        "Zorgt slecht voor zichzelf",
        "Neglects themselves",
        "Zaniedbuje siebie",
        "يهمل نفسه",
        "Kendine iyi bakmıyor",
        "Не се грижи за себе си",
        "Nu se îngrijește",
        "Не дбає про себе",
    ),
    ConcernType.HOME_NEGLECTED: _labels(
        "Huis of tuin vervuild of overvol",
        "Home or garden neglected or overfull",
        "Dom lub ogród zaniedbany lub zagracony",
        "المنزل أو الحديقة مهملة أو مكدسة",
        "Ev veya bahçe bakımsız ya da tıka basa dolu",
        "Домът или градината са занемарени или претъпкани",
        "Casa sau grădina neîngrijită sau prea plină",
        "Дім або сад занедбані чи захаращені",
    ),
    ConcernType.FRAIL: _labels(
        "Gaat lichamelijk achteruit",
        "Physically declining",
        "Słabnie fizycznie",
        "صحته الجسدية تتراجع",
        "Bedensel olarak zayıflıyor",
        "Физически отслабва",
        "Starea fizică se înrăutățește",
        "Слабшає фізично",
    ),
    ConcernType.OTHER: _labels(
        "Niet-pluisgevoel, iets anders",
        "Gut feeling, something else",
        "Przeczucie, coś innego",
        "إحساس بأن هناك خطبًا ما، شيء آخر",
        "İçime sinmiyor, başka bir şey",
        "Нещо ме тревожи, нещо друго",
        "O presimțire, altceva",
        "Недобре передчуття, щось інше",
    ),
}

SEEN: Mapping[Seen, Labels] = {
    Seen.ONCE: _labels(
        "Eenmalig", "Once", "Raz", "مرة واحدة", "Bir kez", "Веднъж", "O singură dată", "Один раз"
    ),
    Seen.REPEATEDLY: _labels(
        "Vaker",
        "Repeatedly",
        "Wielokrotnie",
        "أكثر من مرة",
        "Birden fazla",
        "Многократно",
        "De mai multe ori",
        "Неодноразово",
    ),
    Seen.CHANGED: _labels(
        "Verandering",
        "A change",
        "Zmiana",
        "تغيّر",
        "Değişiklik",
        "Промяна",
        "O schimbare",
        "Зміна",
    ),
}

EMERGENCY: tuple[tuple[str, Labels, Labels], ...] = (
    (
        "112",
        _labels(
            "Alarmnummer",
            "Emergency number",
            "Numer alarmowy",
            "رقم الطوارئ",
            "Acil durum numarası",
            "Телефон за спешни случаи",
            "Număr de urgență",
            "Номер екстреної допомоги",
        ),
        _labels(
            "Direct gevaar",
            "Immediate danger",
            "Bezpośrednie niebezpieczeństwo",
            "خطر مباشر",
            "Acil tehlike",
            "Непосредствена опасност",
            "Pericol imediat",
            "Безпосередня небезпека",
        ),
    ),
    (
        "0800-2000",
        _labels(
            "Veilig Thuis (gratis, dag en nacht)",
            "Veilig Thuis (free, day and night)",
            "Veilig Thuis (bezpłatnie, całą dobę)",
            "Veilig Thuis (مجاني، ليلًا ونهارًا)",
            "Veilig Thuis (ücretsiz, gece gündüz)",
            "Veilig Thuis (безплатно, денонощно)",
            "Veilig Thuis (gratuit, zi și noapte)",
            "Veilig Thuis (безкоштовно, цілодобово)",
        ),
        _labels(
            "Geweld, mishandeling, kinderen in gevaar",
            "Violence, abuse, children in danger",
            "Przemoc, znęcanie się, dzieci w niebezpieczeństwie",
            "عنف أو إساءة أو أطفال في خطر",
            "Şiddet, istismar, tehlikedeki çocuklar",
            "Насилие, малтретиране, деца в опасност",
            "Violență, abuz, copii în pericol",
            "Насильство, жорстоке поводження, діти в небезпеці",
        ),
    ),
    (
        "113",
        _labels(
            "113 Zelfmoordpreventie (gratis, dag en nacht)",
            "113 Suicide prevention (free, day and night)",
            "113 Zapobieganie samobójstwom (bezpłatnie, całą dobę)",
            "113 للوقاية من الانتحار (مجاني، ليلًا ونهارًا)",
            "113 İntiharı önleme (ücretsiz, gece gündüz)",
            "113 Превенция на самоубийства (безплатно, денонощно)",
            "113 Prevenirea suicidului (gratuit, zi și noapte)",
            "113 Запобігання самогубствам (безкоштовно, цілодобово)",
        ),
        _labels(
            "Gedachten aan zelfmoord",
            "Thoughts of suicide",
            "Myśli samobójcze",
            "أفكار انتحارية",
            "İntihar düşünceleri",
            "Мисли за самоубийство",
            "Gânduri de suicid",
            "Думки про самогубство",
        ),
    ),
    (
        "0800-1205",
        _labels(
            "Meldpunt Zorgwekkend Gedrag (gratis)",
            "Worrying Behaviour line (free)",
            "Linia: niepokojące zachowanie (bezpłatnie)",
            "خط الإبلاغ عن السلوك المقلق (مجاني)",
            "Endişe verici davranış hattı (ücretsiz)",
            "Линия за тревожно поведение (безплатно)",
            "Linia pentru comportament îngrijorător (gratuit)",
            "Лінія щодо тривожної поведінки (безкоштовно)",
        ),
        _labels(
            "Zorgwekkend gedrag, niet acuut",
            "Worrying behaviour, not acute",
            "Niepokojące zachowanie, niepilne",
            "سلوك مقلق غير عاجل",
            "Endişe verici davranış, acil değil",
            "Тревожно поведение, не спешно",
            "Comportament îngrijorător, neurgent",
            "Тривожна поведінка, не терміново",
        ),
    ),
)
