#!/bin/sh
# Before anything is made: say in one sentence what is missing, and keep what must stay the same.
set -eu

fail() {
    printf 'parley: %s\n' "$1" >&2
    exit 1
}

need() {
    eval "value=\${$1:-}"
    [ -n "$value" ] || fail "$1 is not set: azd env set $1 $2"
}

need PARLEY_SITE_ORIGINS '<https://www.example.com: where the pages come from>'
need PARLEY_VAPID_SUBJECT '<mailto:chat@example.com: who answers for notifications>'

if [ "${PARLEY_AUTH_MODE:-jwt}" = jwt ]; then
    need PARLEY_JWT_ISSUER '<iss of the tokens of the website>'
    need PARLEY_JWT_AUDIENCE '<aud of the tokens meant for the chat>'
    need PARLEY_JWT_JWKS_URL '<where the website publishes its keys>'
else
    need PARLEY_ENTRA_CLIENT_ID '<application id in Entra ID>'
    need PARLEY_ENTRA_ISSUER '<issuer of its tokens>'
fi

# A size other than the pilot stands behind Application Gateway unless PARLEY_EDGE says otherwise.
edge=${PARLEY_EDGE:-}
if [ -z "$edge" ] && [ "${PARLEY_SIZE:-pilot}" != pilot ]; then
    edge=gateway
fi
if [ "$edge" = gateway ]; then
    need PARLEY_HOST_NAME '<chat.example.com>'
    [ -n "${PARLEY_CERTIFICATE_NAME:-}" ] || fail "PARLEY_CERTIFICATE_NAME is not set. The gateway \
needs a certificate in the vault, and the vault comes with the first provision: run it once with \
azd env set PARLEY_EDGE direct, import the certificate (az keyvault certificate import), then set \
PARLEY_EDGE gateway and PARLEY_CERTIFICATE_NAME."
fi

# The first day of a budget cannot change later.
# A pipeline has no memory: there it is a variable, or there is no budget.
if [ -z "${PARLEY_BUDGET_START:-}${CI:-}" ]; then
    azd env set PARLEY_BUDGET_START "$(date -u +%Y-%m-01)"
fi
