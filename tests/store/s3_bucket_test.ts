import assert from "node:assert/strict";
import {
  ArchivedError,
  type AwsKeys,
  ExistsError,
  NotFoundError,
  openBucket,
  StoreReadOnlyError,
  type TransferLimits,
} from "../../lib/store/mod.ts";
import type { FaultAction } from "../emulator/mod.ts";
import { pattern } from "./conformance.ts";
import { askedOf, bodyOf, BUCKET, countingClock, ownerKeys, withSite } from "./s3_places.ts";

const large = pattern(3 * 1024 * 1024 + 7);

Deno.test("a put is one request of known length with its SHA-256, and a look at what came of it", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    for (const bytes of [pattern(10), large]) {
      emulator.requests.length = 0;
      assert.equal(await place.put("a", bodyOf(bytes)), "stored");
      assert.deepEqual(askedOf(emulator), ["PutObject p/a", "HeadObject p/a"]);
      assert.equal(emulator.requests[0]?.bytesIn, bytes.length);
      const there = await place.head("a");
      assert.deepEqual([there?.bytes, there?.sha256, there?.class], [bytes.length, bodyOf(bytes).sha256, "STANDARD"]);
      assert.deepEqual(await place.get("a"), bytes);
    }
  }));

Deno.test("a read of a range is one request, and no byte beyond the range is sent", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    await place.put("a", bodyOf(large));
    emulator.requests.length = 0;
    assert.deepEqual(await place.get("a", { from: 5, length: 1000 }), large.slice(5, 1005));
    assert.deepEqual(askedOf(emulator), ["GetObject p/a"]);
    assert.equal(emulator.requests[0]?.bytesOut, 1000);
  }));

for (
  const action of [
    ...["drop-answer", "drop-request", "reset", "throttle", "server-error", "unavailable", "timeout"],
    ...["expired-token"],
  ] as FaultAction[]
) {
  Deno.test(`a put outlasts ${action}, three times on end, and its object is there once and whole`, () =>
    withSite(async ({ emulator, bucket }) => {
      const place = await bucket();
      await place.now();
      const times = action === "expired-token" ? 2 : 3;
      emulator.faults.add({ action, operation: "PutObject", times });
      emulator.faults.add({ action, operation: "HeadObject", times: 1 });
      assert.equal(await place.put("a", bodyOf(large), { once: true }), "stored");
      assert.deepEqual(await place.get("a"), large);
      const done = emulator.requests.filter(({ operation, status }) => operation === "PutObject" && status === 200);
      assert.equal(done.length, 1, "the body was stored again after it had been stored");
    }));

  Deno.test(`reading, listing, looking and deleting outlast ${action}`, () =>
    withSite(async ({ emulator, bucket }) => {
      const place = await bucket();
      await place.put("a", bodyOf(large));
      for (const operation of ["GetObject", "ListObjects*", "HeadObject", "DeleteObject"]) {
        emulator.faults.add({ action, operation, times: 2 });
      }
      assert.deepEqual(await place.get("a", { from: 1, length: 100 }), large.slice(1, 101));
      assert.equal((await Array.fromAsync(place.list(""))).length, 1);
      assert.equal((await place.head("a"))?.bytes, large.length);
      await place.remove("a");
      assert.equal(await place.head("a"), undefined);
    }));
}

Deno.test("an answer that is cut short is asked for again", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    await place.put("a", bodyOf(large));
    emulator.faults.add({ action: "short-body", operation: "GetObject", times: 2 });
    assert.deepEqual(await place.get("a"), large);
  }));

Deno.test("a listing with an error inside is no empty listing", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    await place.put("a", bodyOf(pattern(1)));
    emulator.faults.add({ action: "error-inside", operation: "ListObjects*", times: 1 });
    assert.equal((await Array.fromAsync(place.list(""))).length, 1);
    emulator.faults.add({ action: "error-inside", operation: "ListObjects*" });
    await assert.rejects(Array.fromAsync(place.list("")), /no listing|InternalError/);
  }));

Deno.test("an outage of five hours is waited for with few requests and told of, one of seven is given up", () =>
  withSite(async ({ emulator, bucket }) => {
    const warnings: string[] = [];
    for (const [hours, outlasted] of [[5, true], [7, false]] as const) {
      const clock = { ...countingClock(), nowMs: () => emulator.clock.now().getTime() };
      clock.sleep = (ms) => Promise.resolve(emulator.clock.advance(ms));
      const place = await bucket({ clock, warn: (message) => warnings.push(message) });
      await place.now();
      const from = emulator.clock.now();
      emulator.faults.add({
        action: "unavailable",
        operation: "PutObject",
        during: { from, until: new Date(from.getTime() + hours * 3600_000) },
      });
      emulator.requests.length = 0;
      const put = place.put(`a${hours}`, bodyOf(pattern(5)));
      if (outlasted) await put;
      else await assert.rejects(put, /Cannot write s3:\/\/backups\/p\/a7: 503 ServiceUnavailable/);
      assert.ok(emulator.requests.length < 400, `${emulator.requests.length} requests`);
      assert.match(
        warnings[0] ?? "",
        /s3:\/\/backups\/p has not answered for \d+ minutes .*; trying for \d+ minutes more/,
      );
      assert.ok(warnings.length > 3 && warnings.length < 12, `${warnings.length} warnings`);
      if (outlasted) assert.equal(warnings.at(-1), "s3://backups/p answers again");
      warnings.length = 0;
      emulator.faults.clear();
    }
  }, { startAt: new Date() }));

Deno.test("a refusal is not asked for twice and says what to do", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    emulator.faults.add({ action: "access-denied" });
    await assert.rejects(place.put("a", bodyOf(pattern(1))), (error: Error) => {
      assert.ok(error instanceof StoreReadOnlyError);
      assert.match(error.message, /Cannot write s3:\/\/backups\/p\/a: access denied .*docs\/S3.md/);
      return true;
    });
    await assert.rejects(place.get("a"), /Cannot read s3:\/\/backups\/p\/a: access denied/);
    assert.equal(emulator.requests.length, 2);
  }));

Deno.test("credentials that stay expired end the run and say so; fresh ones are taken", () =>
  withSite(async ({ emulator, bucket }) => {
    let asked = 0;
    const stale = { accessKeyId: "AKIANOBODY0000000000", secretAccessKey: "x" };
    const keys: () => Promise<AwsKeys> = () => Promise.resolve(asked++ === 0 ? stale : ownerKeys(emulator));
    const place = await bucket({ credentials: keys });
    emulator.faults.add({ action: "expired-token", times: 1 });
    await place.put("a", bodyOf(pattern(1)));
    assert.equal(asked, 2);
    emulator.faults.add({ action: "expired-token" });
    await assert.rejects(place.put("b", bodyOf(pattern(1))), /credentials have expired .*Log in again/);
  }));

Deno.test("wrong keys, a missing bucket and an unknown host fail at once, in words", () =>
  withSite(async ({ emulator, bucket, place, limits }) => {
    const wrong = await bucket({
      credentials: () => Promise.resolve({ ...ownerKeys(emulator), secretAccessKey: "wrong" }),
    });
    await assert.rejects(wrong.now(), /does not accept the credentials \(403 SignatureDoesNotMatch/);
    const open = async (change: object, more: TransferLimits = {}) => {
      const other = await openBucket({ ...place(), ...change }, limits(more));
      await assert.rejects(other.now(), (error: Error) => {
        messages.push(`${error.name}: ${error.message}`);
        return true;
      });
      await other.close();
    };
    const messages: string[] = [];
    await open({ bucket: "nothing-here" });
    await open({ endpoint: "http://no-such-host.invalid" });
    await open({ endpoint: "http://127.0.0.1:1" });
    assert.match(messages[0] ?? "", /^NotFoundError: .*there is no bucket "nothing-here"/);
    assert.match(messages[1] ?? "", /there is no server of that name .*Check --endpoint/);
    assert.match(messages[2] ?? "", /nobody answers at http:\/\/127.0.0.1:1/);
  }));

Deno.test("a transfer that stands still is begun anew", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket({ stallMs: 300 });
    await place.put("a", bodyOf(pattern(10)));
    emulator.faults.add({ action: "delay", operation: "GetObject", delayMs: 1500, times: 1 });
    assert.deepEqual(await place.get("a"), pattern(10));
    assert.ok(askedOf(emulator).filter((asked) => asked === "GetObject p/a").length >= 2);
  }));

Deno.test("an abort ends a wait at once with its reason", () =>
  withSite(async ({ emulator, bucket }) => {
    const controller = new AbortController();
    const clock = countingClock();
    clock.sleep = (_ms, signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
        controller.abort(new Error("enough"));
      });
    const place = await bucket({ clock });
    await place.now();
    emulator.faults.add({ action: "unavailable" });
    await assert.rejects(place.put("a", bodyOf(pattern(1)), { signal: controller.signal }), /^Error: enough$/);
  }));

Deno.test("what is taken counts as stored only with the same bytes", () =>
  withSite(async ({ bucket }) => {
    const place = await bucket();
    await place.put("a", bodyOf(pattern(10)));
    assert.equal(await place.put("a", bodyOf(pattern(10)), { once: true }), "there");
    const other = pattern(10);
    other[0]!++;
    await assert.rejects(place.put("a", bodyOf(other), { once: true }), ExistsError);
    await assert.rejects(place.put("a", bodyOf(pattern(11)), { once: true }), ExistsError);
    assert.deepEqual(await place.get("a"), pattern(10));
  }));

Deno.test("a server that loses checksums, lies about sizes or only pretends to store is found out", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    for (
      const [hostility, sentence] of [
        ["loses-checksum", /does not hold what was sent: it has lost the SHA-256/],
        ["lies-about-size", /does not hold what was sent: it has 9 bytes of 10/],
        ["ok-with-error-inside", /said that it had stored the object, but it is not there|InternalError/],
      ] as const
    ) {
      emulator.hostile.add(hostility);
      await assert.rejects(place.put(hostility, bodyOf(pattern(10))), sentence);
      emulator.hostile.clear();
    }
  }));

Deno.test("no server ever gets to see the framing of aws-chunked", () =>
  withSite(async ({ emulator, bucket }) => {
    emulator.hostile.add("stores-aws-chunked");
    const place = await bucket();
    await place.put("a", bodyOf(large));
    assert.deepEqual(await place.get("a"), large);
  }));

Deno.test("a body that does not hash to its name is refused by the server, and tried no more than a few times", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    const body = { ...bodyOf(large), sha256: bodyOf(pattern(1)).sha256 };
    await assert.rejects(place.put("a", body), /Cannot write s3:\/\/backups\/p\/a: 400/);
    assert.ok(emulator.requests.length <= 6);
    assert.equal(await place.head("a"), undefined);
  }));

Deno.test("a body that cannot be read ends the put with that reason", () =>
  withSite(async ({ bucket }) => {
    const place = await bucket();
    const read = () => Promise.reject(new RangeError("the spool is gone"));
    await assert.rejects(place.put("a", { ...bodyOf(large), read }), /the spool is gone/);
    await assert.rejects(place.put("a", { ...bodyOf(pattern(5)), read }), /the spool is gone/);
    const short = () => Promise.resolve(pattern(3));
    await assert.rejects(place.put("a", { ...bodyOf(large), read: short }), /shorter than it was/);
  }));

Deno.test("archived objects say so until a copy is there, and asking for one is never an error", () =>
  withSite(async ({ emulator, bucket }) => {
    const place = await bucket();
    await place.put("a", bodyOf(large), { class: "DEEP_ARCHIVE" });
    assert.equal((await place.head("a"))?.class, "DEEP_ARCHIVE");
    await assert.rejects(place.get("a"), ArchivedError);
    const ask = () => place.restore("a", { days: 2, tier: "Standard" });
    assert.equal(await ask(), "asked");
    assert.equal(await ask(), "thawing");
    assert.deepEqual((await place.head("a"))?.restore, { ongoing: true });
    const listed = async () => (await Array.fromAsync(place.list("", { restoreStatus: true })))[0]?.restore?.ongoing;
    assert.equal(await listed(), true);
    emulator.clock.advance(13 * 3600_000);
    assert.equal((await place.head("a"))?.restore?.ongoing, false);
    assert.equal(await listed(), false);
    assert.equal(await ask(), "already");
    assert.deepEqual(await place.get("a", { from: 0, length: 5 }), large.slice(0, 5));
    await assert.rejects(place.restore("b", { days: 2, tier: "Bulk" }), NotFoundError);
  }, { startAt: new Date("2027-01-01T00:00:00Z") }));

Deno.test("a locked object says until when, and a lock can be prolonged", () =>
  withSite(async ({ bucket }) => {
    const place = await bucket();
    const day = 24 * 3600_000;
    const until = (days: number) => new Date(Math.floor(Date.now() / 1000) * 1000 + days * day);
    await place.put("a", bodyOf(large), { once: true, lock: { mode: "COMPLIANCE", until: until(2) } });
    assert.equal((await place.head("a"))?.lockedUntil?.getTime(), until(2).getTime());
    await place.lock("a", { mode: "COMPLIANCE", until: until(9) });
    assert.equal((await place.head("a"))?.lockedUntil?.getTime(), until(9).getTime());
    await assert.rejects(place.lock("a", { mode: "COMPLIANCE", until: until(1) }), /access denied/);
  }, { objectLock: true }));

Deno.test("transfers keep within their rates", () =>
  withSite(async ({ bucket }) => {
    const clock = countingClock();
    const place = await bucket({ clock, uploadBytesPerSecond: 1_000_000, downloadBytesPerSecond: 500_000 });
    await place.put("a", bodyOf(large));
    const seconds = () => clock.sleptMs / 1000;
    const up = seconds();
    assert.ok(Math.abs(up - large.length / 1_000_000) < 1, `${up} s`);
    await place.get("a");
    const down = seconds() - up;
    assert.ok(Math.abs(down - large.length / 500_000) < 1, `${down} s`);
  }));

Deno.test("no more large transfers are under way at once than were allowed", () =>
  withSite(async ({ bucket }) => {
    const place = await bucket({ parallel: 2 });
    let [now, most] = [0, 0];
    const body = (i: number) => {
      const { read, ...rest } = bodyOf(pattern((2 << 20) + i));
      return {
        ...rest,
        async read(range: { from: number; length: number }) {
          if (range.from === 0) most = Math.max(most, ++now);
          const bytes = await read(range);
          if (range.from + range.length === rest.bytes) now--;
          return bytes;
        },
      };
    };
    await Promise.all([1, 2, 3, 4, 5, 6].map((i) => place.put(`a${i}`, body(i))));
    assert.equal(most, 2);
  }));

Deno.test("keys that are strange, or below another prefix, do no harm", () =>
  withSite(async ({ bucket }) => {
    const [inner, outer] = [await bucket({}, "p/"), await bucket({}, "")];
    for (const key of ["a b+c%20", "p/x&<>\"'", "p/\u0001", "p/ä€", "q/z"]) await outer.put(key, bodyOf(pattern(1)));
    const keys = async (from: typeof inner) => (await Array.fromAsync(from.list(""))).map(({ key }) => key);
    assert.deepEqual(await keys(inner), ["\u0001", "x&<>\"'", "ä€"]);
    assert.equal((await keys(outer)).length, 5);
    assert.equal(inner.location, `s3://${BUCKET}/p`);
    assert.equal(outer.location, `s3://${BUCKET}`);
  }));
