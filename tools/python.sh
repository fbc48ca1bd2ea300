#!/bin/sh
# Run a program with the Python of this machine that fits the pinned packages: tools/python.sh -m tools.install product
# $PYTHON names another Python. A Python that is too new for the packages comes last.
set -eu
newest_tested=14

fits() {
  "$1" -c "import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $2))" 2>/dev/null
}

for newest in "$newest_tested" 99; do
  for python in ${PYTHON:+"$PYTHON"} $([ "${PYTHON:-}" ] || echo python3 python3.13 python3.12 python3.11); do
    if fits "$python" "$newest"; then exec "$python" "$@"; fi
  done
done

cat >&2 <<end
Python 3.11 or newer with its venv module is needed, and it is not here (tried: ${PYTHON:-python3 python3.13 python3.12 python3.11}).
 - Debian, Ubuntu: sudo apt-get install python3-venv
 - elsewhere: install Python 3.11 or newer; if it is not on the PATH: PYTHON=/path/to/python3 make run
end
exit 1
