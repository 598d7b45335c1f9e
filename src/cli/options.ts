/** Options that several commands have. */

import { CONFIG_FILE, type Option } from "./command.ts";

/** `--config FILE` */
export const config: Option = {
  value: "FILE",
  doc: `The config, in TOML; ${CONFIG_FILE} by default.`,
};

/** `--auth NAME` */
export const auth: Option = {
  value: "NAME",
  doc: "The [auth.NAME] block whose users are meant; the first one of the config by default.",
};

/** `--hash ALGORITHM` */
export const hashOption: Option = {
  value: "ALGORITHM",
  doc: "argon2 (the default), bcrypt or scram-sha-256.",
};

/** `--storage NAME` */
export const storage: Option = {
  value: "NAME",
  doc: "The [storage.NAME] block that is meant; that of the first endpoint by default.",
};

/** `--json` */
export const json: Option = { doc: "Print one line of JSON for each row." };

/** `-y` */
export const yes: Option = { short: "y", doc: "Do not ask." };
