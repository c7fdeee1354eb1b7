/**
 * The conformance suite against a server that nobody here wrote. `deno task test:servers` starts one and says where:
 * TARZAN_TEST_S3 is its endpoint, and a bucket "conformance" is there.
 */
import { createS3Store, openS3Store, type Store } from "../../lib/store/mod.ts";
import { storeConformance } from "./conformance.ts";

const endpoint = Deno.env.get("TARZAN_TEST_S3");
const run = Date.now();
let places = 0;

if (endpoint !== undefined) {
  storeConformance(`bucket at ${endpoint}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "tarzan-s3-" });
    const place = { bucket: "conformance", prefix: `${run}/${++places}/`, endpoint };
    const options = { spoolFolder: `${folder}/spool`, limits: { patienceMs: 60_000 } };
    const opened: Store[] = [await createS3Store(place, options)];
    return {
      store: opened[0]!,
      async reopen() {
        const other = await openS3Store(place, options);
        opened.push(other);
        return other;
      },
      async dispose() {
        for (const store of opened) await store.close();
        await Deno.remove(folder, { recursive: true });
      },
    };
  });
}
