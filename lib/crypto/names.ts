/** Whether `text` can be the label of a slot or the name of a domain: 1 to 32 of a-z, 0-9 and "-", not "-" first. */
export function isName(text: unknown): text is string {
  return typeof text === "string" && /^[a-z0-9][a-z0-9-]{0,31}$/.test(text);
}
