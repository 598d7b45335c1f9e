/** What the manual pages show; a test tries it. */

/** Command lines. */
export const ARGUMENT_EXAMPLES: readonly { text: string; words: readonly string[] }[] = [
  { text: "Report all faults of the config, each with its line and column:", words: ["check"] },
  { text: "Add a user, whose password is asked for:", words: ["user", "add", "ann@example.org"] },
  {
    text: "List the mailboxes of an account for a script, one line of JSON for each:",
    words: ["mailbox", "list", "--json", "ann@example.org"],
  },
  {
    text: "End all connections from one address:",
    words: ["kick", "--address", "192.0.2.9"],
  },
];

/** A config that is complete once its certificate is there. */
export const CONFIG_EXAMPLE = `hostname = "mail.example.org"
tls = ["/etc/ssl/mail.pem", "/etc/ssl/mail.key"]

[[imap]]
listen = ["tcp://0.0.0.0:143", "tls://0.0.0.0:993"]
auth = "&users"
storage = { module = "maildir", path = "/var/lib/imapd/mail/{account}" }

[auth.users]
module = "pass_table"
table = { module = "file", path = "/var/lib/imapd/users" }`;
