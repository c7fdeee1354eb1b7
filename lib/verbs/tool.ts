/** What names this program in indexes and on recovery sheets. */
import configuration from "../../deno.json" with { type: "json" };

export const TOOL = `tarzan ${configuration.version}`;
