import { Pace } from "../pace.ts";
import type { Dialogue } from "./command.ts";

/** Paces a command, and ends it when nobody waits for its answer any more. */
export class CommandPace extends Pace {
  constructor(private readonly dialogue: Dialogue) {
    super(undefined, dialogue.owner);
  }

  /** @throws {Disconnected} */
  override async turn(): Promise<void> {
    await super.turn();
    this.dialogue.assertOpen();
  }
}
