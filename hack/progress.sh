# shellcheck shell=bash
# Sourced by the scripts of this directory: long work that tells where it is.
# Everything said goes to stderr; stdout belongs to the script's answer.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

_child=''
# A background child of a script ignores Ctrl-C, so it is ended by hand.
trap 'if [[ -n $_child ]]; then kill "$_child" 2>/dev/null || true; fi' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# watched LIMIT LABEL COMMAND... runs the command, says every 15 seconds that
# it is still at work, and ends it after LIMIT seconds (0: never). Its output
# is shown only when it is not successful.
watched() {
  local limit=$1 label=$2 log rc=0 from=$SECONDS told=0 spent
  shift 2
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null &
  _child=$!
  while kill -0 "$_child" 2>/dev/null; do
    spent=$((SECONDS - from))
    if ((limit > 0 && spent >= limit)); then
      kill "$_child" 2>/dev/null || true
      say "$label: gave up after ${limit}s"
      break
    fi
    if ((spent - told >= 15)); then
      told=$spent
      say "$label: ${spent}s so far"
    fi
    sleep 0.2
  done
  wait "$_child" || rc=$?
  _child=''
  if ((rc != 0)); then tail -n 40 "$log" >&2; fi
  rm -f "$log"
  return "$rc"
}

# locked FILE waits for the lock kept in FILE until this script ends, so that
# two makes do not build the same thing at once. A machine without flock
# builds twice and loses nothing: results arrive by rename.
locked() {
  mkdir -p "${1%/*}"
  command -v flock >/dev/null || return 0
  exec 9>"$1"
  flock -n 9 && return
  say 'waiting for another run that is building the same'
  flock 9
}
