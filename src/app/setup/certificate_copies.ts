/** Copies of certificates that only root can read, made again after each renewal. */

import { dirname } from "node:path";
import type { Answers } from "./answers.ts";
import type { SetupFile } from "./setup_files.ts";

/** Where the copies are. */
export function copiesOf(configFile: string): { readonly cert: string; readonly key: string } {
  const folder = `${dirname(configFile)}/tls`;
  return { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
}

/** What copies them, as files of the renewer or of systemd. */
export function copyingFiles({ tls, configFile }: Answers, group: string): SetupFile[] {
  if (tls.kind !== "copies") return [];
  const to = copiesOf(configFile);
  if (tls.renewer === "certbot") {
    return [{
      path: "/etc/letsencrypt/renewal-hooks/deploy/imapd",
      mode: 0o755,
      text: [
        "#!/bin/sh",
        "# Lets imapd read the renewed certificate. Made by `imapd init`.",
        `[ "$RENEWED_LINEAGE" = ${shellQuoted(dirname(tls.cert))} ] || exit 0`,
        `install -m 0640 -g ${group} "$RENEWED_LINEAGE/privkey.pem" ${to.key}`,
        `install -m 0640 -g ${group} "$RENEWED_LINEAGE/fullchain.pem" ${to.cert}`,
        "",
      ].join("\n"),
    }];
  }
  if (tls.renewer === "acme.sh") return [];
  return [
    {
      path: "/etc/systemd/system/imapd-certificate.path",
      mode: 0o644,
      text: [
        "[Unit]",
        "Description=Renewal of the certificate of imapd",
        "",
        "[Path]",
        `PathChanged=${tls.cert}`,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
      ].join("\n"),
    },
    {
      path: "/etc/systemd/system/imapd-certificate.service",
      mode: 0o644,
      text: [
        "[Unit]",
        "Description=Let imapd read its renewed certificate",
        "",
        "[Service]",
        "Type=oneshot",
        `ExecStart=/usr/bin/install -m 0640 -g ${group} ${tls.key} ${to.key}`,
        `ExecStart=/usr/bin/install -m 0640 -g ${group} ${tls.cert} ${to.cert}`,
        "",
      ].join("\n"),
    },
  ];
}

/** Commands that make the renewer copy, where files do not. */
export function copyingCommands({ tls, configFile }: Answers): string[] {
  if (tls.kind !== "copies") return [];
  const to = copiesOf(configFile);
  switch (tls.renewer) {
    case "certbot":
      return [];
    case "acme.sh": {
      const ecc = dirname(tls.cert).endsWith("_ecc") ? " --ecc" : "";
      return [
        `/root/.acme.sh/acme.sh --install-cert -d ${tls.name}${ecc} \\`,
        `    --fullchain-file ${to.cert} --key-file ${to.key}`,
      ];
    }
    case "Caddy":
      return ["systemctl enable --now imapd-certificate.path"];
  }
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
