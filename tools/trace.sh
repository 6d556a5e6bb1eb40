#!/bin/sh
# Print what the local stack's log says of one message, in order: sent, queued, delivered, read.
#
#   tools/trace.sh ID [DIRECTORY]    ID: a trace id (32 hex digits) or a client message id (a UUID)
#
# A reader's acknowledgement has a trace of its own, and says nothing of single messages: it belongs
# to the message when it is of the same conversation and reaches its sequence.
set -eu

id=${1:-}
logs=${2:-${CHAT_LOCAL_DIR:-.local}}/logs
if [ -z "$id" ]; then
    printf 'usage: tools/trace.sh TRACE_ID|CLIENT_MESSAGE_ID [DIRECTORY]\n' >&2
    exit 2
fi
[ -f "$logs/host.log" ] || {
    printf 'trace: there is no %s: is the stack started?\n' "$logs/host.log" >&2
    exit 1
}

# The part before, of the run before or cut off when the log had grown too long, then the log.
lines() {
    [ ! -f "$logs/host.log.1" ] || cat "$logs/host.log.1"
    cat "$logs/host.log"
}

lines | awk -v id="$id" '
    function value(name) {
        if (!match($0, " " name "=[^ ]+")) return ""
        return substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 2)
    }
    function first_of(group, user) {
        if (user in group) return 0
        group[user]
        return 1
    }
    / stored conversation=/ && (value("trace") == id || tolower(value("client_message_id")) == tolower(id)) {
        trace = value("trace"); conversation = value("conversation"); sequence = value("sequence") + 0
    }
    trace != "" && value("trace") == trace { print; found = 1; next }
    conversation != "" && / acknowledged / && value("conversation") == conversation {
        user = value("user")
        if (value("read") + 0 >= sequence) { if (first_of(readers, user)) print }
        else if (value("delivered") + 0 >= sequence && first_of(holders, user)) print
    }
    END { if (!found) exit 1 }
' || {
    printf 'trace: the log says nothing of %s\n' "$id" >&2
    exit 1
}
