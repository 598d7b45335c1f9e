/** All that makes a new server, ready to be written. */

import type { Answers } from "./answers.ts";
import { copiesOf, copyingFiles } from "./certificate_copies.ts";
import { configText, usersFile } from "./config_text.ts";
import type { Machine } from "./machine.ts";
import type { SetupFile } from "./setup_files.ts";
import type { Survey } from "./survey.ts";
import { withEntry } from "../../tables/table_text.ts";
import { unitFile } from "./unit_text.ts";

const PAM_SERVICE = "/etc/pam.d/imapd";

/** The files, the config first. */
export function setupFiles(survey: Survey, answers: Answers): readonly SetupFile[] {
  const { machine } = survey;
  const unit = unitFile(survey, answers);
  return [
    {
      path: answers.configFile,
      text: configText(survey, answers),
      mode: 0o640,
      forService: true,
    },
    ...answers.auth === "file" ? [usersTable(machine, answers)] : pamFiles(machine),
    ...certificateFiles(machine, answers),
    ...unit === undefined ? [] : [unit],
  ];
}

/** Who is there already stays. */
function usersTable(machine: Machine, answers: Answers): SetupFile {
  const path = usersFile(answers);
  let text = machine.text(path) ?? "";
  for (const [name, value] of answers.users) text = withEntry(text, name, value);
  return { path, text, mode: 0o640, forService: true, mayReplace: true };
}

function pamFiles(machine: Machine): SetupFile[] {
  if (machine.info(PAM_SERVICE) !== undefined) return [];
  const text =
    "# Made by `imapd init`.\nauth    required pam_unix.so\naccount required pam_unix.so\n";
  return [{ path: PAM_SERVICE, text, mode: 0o644 }];
}

function certificateFiles(machine: Machine, answers: Answers): SetupFile[] {
  const { tls, configFile, serviceUser } = answers;
  if (tls.kind !== "copies") return [];
  const to = copiesOf(configFile);
  const copy = (from: string, path: string): SetupFile => ({
    path,
    text: machine.text(from) ?? "",
    mode: 0o640,
    forService: true,
    mayReplace: true,
  });
  return [
    copy(tls.cert, to.cert),
    copy(tls.key, to.key),
    ...copyingFiles(answers, groupOf(machine, serviceUser)),
  ];
}

/** The name of the group that a user will have if it is not there yet. */
function groupOf(machine: Machine, name: string): string {
  const gid = machine.user(name)?.gid;
  return machine.groups.find((group) => group.gid === gid)?.name ?? name;
}
