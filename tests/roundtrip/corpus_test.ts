import { absent, corpus } from "./corpus.ts";
import { comeBack } from "./repositories.ts";

Deno.test({
  name: "every file of the corpus comes back from one repository",
  ignore: absent,
  async fn() {
    await comeBack(corpus());
  },
});
