/** Completion for bash. */

import type { Command } from "../command.ts";
import { caseTables } from "./posix.ts";

/** @returns what `source <(imapd completion bash)` reads */
export function bashScript(commands: readonly Command[]): string {
  return `# Completion of imapd for bash: source <(imapd completion bash)

${caseTables(commands)}
_imapd_kind_at() {
  local kinds
  read -ra kinds <<< "$(_imapd_kinds "$1")"
  echo "\${kinds[$2]:-none}"
}

_imapd() {
  # Not COMP_WORDS, which are cut at "@" and ":", as in names of accounts.
  local line=\${COMP_LINE:0:COMP_POINT} current= command complete pending count account
  local candidates=() words asking kind candidate
  read -ra words <<< "$line"
  if [[ $line != *[[:space:]] ]]; then
    current=\${words[\${#words[@]} - 1]}
    unset "words[\${#words[@]} - 1]"
  fi
  _imapd_read "\${words[@]:1}"
  COMPREPLY=()
  if [[ -n $pending ]]; then
    [[ $pending == --config || $pending == *-file ]] && kind=file
    read -ra candidates <<< "$(_imapd_values "$pending")"
  elif [[ $current == -* ]]; then
    read -ra candidates <<< "$(_imapd_options "$command")"
  elif [[ -z $complete ]]; then
    read -ra candidates <<< "$(_imapd_next "$command")"
  else
    kind=$(_imapd_kind_at "$command" "$count")
    case $kind in
      shell) read -ra candidates <<< "$(_imapd_values shell)" ;;
      account|mailbox) mapfile -t candidates < <(_imapd_ask "$kind") ;;
    esac
  fi
  if [[ $kind == file ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  # Readline replaces only what stands after the last of its word breaks.
  local kept=\${current%"\${current##*[@:=]}"}
  for candidate in "\${candidates[@]}"; do
    [[ $candidate == "$current"* ]] || continue
    candidate=\${candidate#"$kept"}
    COMPREPLY+=("$(printf %q "$candidate")")
  done
}

complete -F _imapd imapd
`;
}
