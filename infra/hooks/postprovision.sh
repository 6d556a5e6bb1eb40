#!/bin/sh
# The key that signs Web Push: made once, on this machine, straight into the vault. Never replaced:
# every browser's subscription is bound to it.
set -eu

: "${AZURE_RESOURCE_GROUP:?}" "${AZURE_KEY_VAULT_NAME:?}"

subscription=$(az account show --query id --output tsv)
secret="/subscriptions/$subscription/resourceGroups/$AZURE_RESOURCE_GROUP/providers/Microsoft.KeyVault\
/vaults/$AZURE_KEY_VAULT_NAME/secrets/vapid-private-key"

# Through Azure Resource Manager, which shows that a secret exists and never what it is.
if az resource show --ids "$secret" --api-version 2025-05-01 --output none 2>/dev/null; then
    exit 0
fi

umask 077
parameters=$(mktemp)
trap 'rm -f "$parameters"' EXIT
# base64url of the 32 bytes of a P-256 private key: bytes 8 to 39 of its shortest DER form.
key=$(openssl ecparam -name prime256v1 -genkey -noout -outform DER |
    dd bs=1 skip=7 count=32 2>/dev/null | openssl base64 -A | tr '+/' '-_' | tr -d '=')
[ ${#key} -eq 43 ] || {
    echo 'parley: openssl did not make a P-256 key.' >&2
    exit 1
}
printf '{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#","contentVersion":"1.0.0.0","parameters":{"vaultName":{"value":"%s"},"privateKey":{"value":"%s"}}}' \
    "$AZURE_KEY_VAULT_NAME" "$key" >"$parameters"
az deployment group create --resource-group "$AZURE_RESOURCE_GROUP" --name parley-vapid \
    --template-file infra/vapid.bicep --parameters "@$parameters" --output none
