/** The systemd unit, hardened as far as V8 and the place of the mail allow. */

import { dirname } from "node:path";
import { type Answers, isInHomes } from "./answers.ts";
import type { SetupFile } from "./setup_files.ts";
import type { Survey } from "./survey.ts";

const PROGRAM = "/usr/bin/imapd";
const UNIT = "/etc/systemd/system/imapd.service";
const PACKAGED = ["/usr/lib/systemd/system/imapd.service", "/lib/systemd/system/imapd.service"];

/** The unit, or what differs from that of the package. */
export function unitFile(survey: Survey, answers: Answers): SetupFile | undefined {
  const packaged = PACKAGED.some((path) => survey.machine.info(path) !== undefined);
  const own = ownSettings(survey, answers);
  if (!packaged) return { path: UNIT, mode: 0o644, text: unitText(answers, own) };
  const differing = [...own, ...commandSettings(answers)];
  const text = `# Made by \`imapd init\`.\n[Service]\n${differing.join("\n")}\n`;
  return { path: `${UNIT}.d/init.conf`, mode: 0o644, text };
}

/** The packaged unit has a command line that may not fit. */
function commandSettings({ configFile, program }: Answers): string[] {
  const command = `${program} --config ${configFile}`;
  return command === `${PROGRAM} --config /etc/imapd/config.toml` ? [] : [
    "ExecStart=",
    `ExecStart=${command}`,
    ...program === PROGRAM ? [] : [`ExecPaths=${program}`],
  ];
}

/** What follows from who the user is and where the mail is. */
function ownSettings({ machine }: Survey, answers: Answers): string[] {
  const { mail, serviceUser, stateDir } = answers;
  const writable = [
    ...stateDir === "/var/lib/imapd" ? [] : [stateDir],
    ...mail.template.startsWith(`${stateDir}/`) ? [] : [beforeFields(mail.template)],
  ];
  const homes = isInHomes(mail) || writable.some((path) => /^\/(home|root)(\/|$)/.test(path));
  const capabilities = serviceUser === "root"
    ? "CAP_NET_BIND_SERVICE CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_SETUID CAP_SETGID"
    : "CAP_NET_BIND_SERVICE";
  return [
    `User=${serviceUser}`,
    ...serviceUser !== "root" && machine.group("postfix") ? ["SupplementaryGroups=postfix"] : [],
    ...writable.length === 0
      ? []
      : [`ReadWritePaths=${writable.map((path) => `-${path}`).join(" ")}`],
    ...homes ? ["ProtectHome=false"] : [],
    ...serviceUser === "root"
      ? [
        `CapabilityBoundingSet=${capabilities}`,
        "SystemCallFilter=@setuid",
      ]
      : [],
  ];
}

function unitText({ configFile, program, serviceUser }: Answers, own: readonly string[]): string {
  return `# Made by \`imapd init\`.
[Unit]
Description=IMAP server
Documentation=man:imapd(1) man:imapd-config(5)
After=network-online.target nss-lookup.target
Wants=network-online.target
ConditionPathExists=${configFile}

[Service]
Type=notify
ExecStart=${program} --config ${configFile}
ExecReload=/bin/kill -HUP $MAINPID
UMask=0077
StateDirectory=imapd
StateDirectoryMode=0750
RuntimeDirectory=imapd
RuntimeDirectoryMode=0755
WatchdogSec=30
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2
TimeoutStopSec=30
LimitNOFILE=65536
LimitCORE=0

${serviceUser === "root" ? "" : "AmbientCapabilities=CAP_NET_BIND_SERVICE\n"}\
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
PrivateDevices=true
PrivateMounts=true
PrivateIPC=true
ProtectClock=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectControlGroups=true
ProtectProc=invisible
ProcSubset=pid
KeyringMode=private
LockPersonality=true
RemoveIPC=true
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
NoExecPaths=/
ExecPaths=${program} /bin/kill /usr/bin/kill -/lib -/lib64 /usr/lib -/usr/lib64 -/usr/local/lib
SystemCallArchitectures=native
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
SystemCallErrorNumber=EPERM
${own.join("\n")}

[Install]
WantedBy=multi-user.target
`;
}

/** The folder that all accounts are in. */
export function beforeFields(template: string): string {
  const field = template.indexOf("{");
  return field < 0 ? template : dirname(`${template.slice(0, field)}x`);
}
