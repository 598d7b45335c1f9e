import { deepEqual, equal } from "node:assert/strict";
import { conversationOf } from "../../src/message/conversation.ts";

Deno.test("conversationOf reads Message-ID, ancestors from the nearest, and the base subject", () => {
  deepEqual(
    conversationOf(
      "Subject: Re: [list] Lunch\r\n today\r\nReferences: <a@x>\r\n <b@x>\r\n <c@x>\r\n" +
        "In-Reply-To: <c@x> (Ann's message)\r\nMessage-ID: <d@x>\r\n",
    ),
    {
      subject: conversationOf("Subject: lunch today\r\n").subject,
      own: "d@x",
      ancestors: ["c@x", "b@x", "a@x"],
    },
  );
});

Deno.test("conversationOf takes a message without fields, and one that answers itself", () => {
  deepEqual(conversationOf(""), { subject: "", own: undefined, ancestors: [] });
  deepEqual(conversationOf("Message-ID: <a@x>\r\nReferences: <a@x> <b@x>\r\n").ancestors, ["b@x"]);
});

Deno.test("conversationOf keeps the nearest of many ancestors, and where it all began", () => {
  const ids = Array.from({ length: 1000 }, (_, i) => `<${i}@x>`);
  const { ancestors } = conversationOf(`References: ${ids.join(" ")}\r\n`);
  equal(ancestors.length, 30);
  equal(ancestors[0], "999@x");
  equal(ancestors.at(-1), "0@x");
});
