#!/bin/sh
# After the code runs: put the key of the SignalR webhook into the vault (infra/upstream.bicep).
# Repeating it is harmless; after a rotation of that key it is what makes the new one known.
set -eu

: "${AZURE_RESOURCE_GROUP:?}" "${AZURE_FUNCTION_NAME:?}" "${AZURE_KEY_VAULT_NAME:?}" "${AZURE_SIGNALR_NAME:?}"

subscription=$(az account show --query id --output tsv)
secret="/subscriptions/$subscription/resourceGroups/$AZURE_RESOURCE_GROUP/providers/Microsoft.KeyVault\
/vaults/$AZURE_KEY_VAULT_NAME/secrets/signalr-extension-key"
first=yes
if az resource show --ids "$secret" --api-version 2025-05-01 --output none 2>/dev/null; then
    first=no
fi

# The extension makes its key when the host has started with the new code, which takes a while.
attempt=1
until az deployment group create --resource-group "$AZURE_RESOURCE_GROUP" --name parley-upstream \
    --template-file infra/upstream.bicep --output none --parameters \
    functionName="$AZURE_FUNCTION_NAME" vaultName="$AZURE_KEY_VAULT_NAME"; do
    [ "$attempt" -lt 20 ] || {
        echo 'parley: the app has no webhook key after ten minutes: does it start? Look at its log stream, then run azd hooks run postdeploy.' >&2
        exit 1
    }
    attempt=$((attempt + 1))
    sleep 30
done

if [ -n "${PARLEY_SCAN_TOPIC:-}" ]; then
    az deployment group create --resource-group "$AZURE_RESOURCE_GROUP" --name parley-scan \
        --template-file infra/scan.bicep --output none --parameters \
        functionName="$AZURE_FUNCTION_NAME" topicName="$PARLEY_SCAN_TOPIC"
fi

# SignalR Service reads the secret again every half hour; the first time it must not wait for that.
if [ "$first" = yes ]; then
    az signalr restart --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_SIGNALR_NAME"
fi
