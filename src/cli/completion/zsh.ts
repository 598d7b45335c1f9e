/** Completion for zsh. */

import type { Command } from "../command.ts";
import { caseTables } from "./posix.ts";

/** @returns what `source <(imapd completion zsh)` reads, or a file `_imapd` in `fpath` */
export function zshScript(commands: readonly Command[]): string {
  return `#compdef imapd
# Completion of imapd for zsh: source <(imapd completion zsh), after compinit

${caseTables(commands)}
_imapd() {
  emulate -L zsh
  local command complete pending count account kind current=$PREFIX
  local -a candidates asking kinds before
  before=("\${(@Q)words[2,CURRENT-1]}")
  _imapd_read "\${before[@]}"
  if [[ -n $pending ]]; then
    if [[ $pending == --config || $pending == *-file ]]; then
      _files
      return
    fi
    candidates=(\${(s: :)"$(_imapd_values "$pending")"})
  elif [[ $current == -* ]]; then
    candidates=(\${(s: :)"$(_imapd_options "$command")"})
  elif [[ -z $complete ]]; then
    candidates=(\${(s: :)"$(_imapd_next "$command")"})
  else
    kinds=(\${(s: :)"$(_imapd_kinds "$command")"})
    kind=\${kinds[count + 1]:-none}
    case $kind in
      file) _files; return ;;
      shell) candidates=(\${(s: :)"$(_imapd_values shell)"}) ;;
      account|mailbox) candidates=("\${(@f)$(_imapd_ask "$kind")}") ;;
    esac
  fi
  candidates=(\${candidates:#})
  (( \${#candidates} )) && compadd -- "\${candidates[@]}"
}

if [[ \${funcstack[1]} == _imapd ]]; then
  _imapd "$@"
else
  compdef _imapd imapd
fi
`;
}
