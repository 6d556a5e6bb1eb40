"""`python -m local`: start the whole stack. Says in one sentence what is missing to do so."""

import sys

if sys.version_info[:2] != (3, 13):
    sys.exit(
        "parley: Python 3.13 is needed, and this is {}.{}: `make run` finds or installs it.".format(
            *sys.version_info[:2]
        )
    )

try:
    from local.stack.run import main
except ModuleNotFoundError as error:
    sys.exit(f"parley: the package {error.name} is not installed: run `make setup`.")

main()
