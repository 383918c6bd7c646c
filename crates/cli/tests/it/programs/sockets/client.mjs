// Drives a mob over a WebSocket with the client that Node.js has built in.
// Arguments: URL and token. Every step that fails ends the program with a reason.
const [url, token] = process.argv.slice(2);
const place = url.replace(/^http/, "ws") + "rpc/ws";

function fail(why) {
  console.error(why);
  process.exit(1);
}

function check(found, expected, what) {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    fail(`${what}: ${JSON.stringify(found)} is not ${JSON.stringify(expected)}`);
  }
}

class Session {
  constructor(protocols) {
    this.asked = new Map();
    this.notes = [];
    this.waiting = [];
    this.last = 0;
    this.socket = new WebSocket(place, protocols);
    this.opened = new Promise((resolve) => {
      this.socket.onopen = () => resolve(true);
      this.socket.onerror = () => resolve(false);
    });
    this.closed = new Promise((resolve) => (this.socket.onclose = resolve));
    this.socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
  }

  hear(message) {
    if (message.method === "tool/call") {
      const result = `${message.params.args.what} by ${this.name}`;
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { result } }));
      return;
    }
    if (message.method === undefined) {
      this.asked.get(message.id)?.(message);
      return;
    }
    const waits = this.waiting.shift();
    if (waits) waits(message);
    else this.notes.push(message);
  }

  ask(method, params = {}) {
    const id = ++this.last;
    const answer = new Promise((resolve) => this.asked.set(id, resolve));
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return { id, answer };
  }

  async call(method, params) {
    const { result, error } = await this.ask(method, params).answer;
    if (error) fail(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  async until(kind) {
    for (;;) {
      const { method, params } = await this.note();
      if (method === "event" && params.event.kind === kind) return params.event;
    }
  }

  note() {
    const waits = () => new Promise((resolve) => this.waiting.push(resolve));
    return this.notes.length ? Promise.resolve(this.notes.shift()) : waits();
  }
}

// Without a token, or with a wrong one, nobody comes in.
for (const protocols of [["mobkit.rpc"], ["mobkit.rpc", "mobkit.token.wrong"]]) {
  check(await new Session(protocols).opened, false, "a session without the token");
}

const session = new Session(["mobkit.rpc", `mobkit.token.${token}`]);
check(await session.opened, true, "a session with the token");
check(session.socket.protocol, "mobkit.rpc", "the subprotocol");

const { subscription } = await session.call("event/subscribe", { kinds: "turn.completed" });
const slow = { to: "slow", content: "hello", timeout_ms: 600000 };
const wait = session.ask("member/ask", slow);
const answer = await session.call("member/ask", { to: "quick", content: "hello" });
check(answer.text, "quick says hello", "an answer beside a long wait");
const { method, params } = await session.note();
check([method, params.subscription], ["event", subscription], "a notification");
check(params.event.data.text, answer.text, "the event of the answer");

await session.call("$/cancelRequest", { id: wait.id });
check((await wait.answer).error.data.code, "request.cancelled", "a wait that was given up");

await session.call("member/cancel", { member: "slow" });

// Programs come and go while the mob runs.
const schema = { type: "object", properties: { what: { type: "string" } } };
const tools = [{ name: "fetch", description: "Fetches.", schema, effect: "read" }];
const fetched = async () => {
  const { text } = await session.call("member/ask", { to: "quick", content: "fetch bread" });
  return text;
};
async function program(name) {
  const program = new Session(["mobkit.rpc", `mobkit.token.${token}`]);
  program.name = name;
  await program.opened;
  return program;
}
const first = await program("first");
await first.call("host/register", { tools });
check(await fetched(), "got: bread by first", "a tool of a program");
const second = await program("second");
const taken = await second.ask("host/register", { tools }).answer;
check(taken.error.data.code, "host.tool_taken", "a tool that is taken");
const early = await second.ask("host/register", { discovery: true }).answer;
check(early.error.data.code, "host.start_only", "members of a mob that runs");
await session.call("event/subscribe", { kinds: "host.left" });
first.socket.close();
const left = await session.until("host.left");
check(left.data.reason, "the client went", "what the journal says");
check(await fetched(), "got: the program that offers fetch has gone", "a call of nobody");
await second.call("host/register", { tools });
check(await fetched(), "got: bread by second", "a program that takes over");

session.socket.send("nonsense");
check((await session.call("mob/status")).state, "running", "life after nonsense");

const report = session.ask("system/shutdown", {});
await report.answer;
const ended = await session.closed;
check([ended.code, ended.reason], [1001, "runtime.stopping"], "the close");
console.log("done");
