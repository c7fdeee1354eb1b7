/** A working thread: does the tasks that it is sent. */
import type { WorkerReply, WorkerStart } from "./pool.ts";
import { type Task, TaskRunner } from "./tasks.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<WorkerStart | { id: number; task: Task }>) => void;
  postMessage(message: WorkerReply, transfer: Transferable[]): void;
};

let runner: TaskRunner | undefined;

scope.onmessage = ({ data }) => {
  if (!("task" in data)) {
    runner = new TaskRunner(data.arena, data.thread);
    return;
  }
  const { id, task } = data;
  runner!.run(task).then(
    (result) => scope.postMessage({ id, result }, handOver(result)),
    ({ name, message }: Error) => scope.postMessage({ id, error: { name, message } }, []),
  );
};

/** Bytes that need not be copied: those that have their memory for themselves. */
function handOver(result: unknown): Transferable[] {
  const bytes = result instanceof Uint8Array ? result : (result as { raw?: Uint8Array } | null)?.raw;
  return bytes !== undefined && bytes.buffer.byteLength <= bytes.length + 64 ? [bytes.buffer as ArrayBuffer] : [];
}
