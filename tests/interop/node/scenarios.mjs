// What a page or a program does with @stomp/stompjs. Each scenario throws when the broker is not what it should be.

const PATIENCE_MS = 15000;

/** Returns what a promise gives, or fails when that takes too long. */
export function soon(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function check(condition, what) {
  if (!condition) throw new Error(what);
}

/** A client that is connected; what it is told can be awaited. */
class Peer {
  static async connect(make, options = {}) {
    const peer = new Peer();
    peer.receipts = 0;
    peer.connections = 0;
    peer.client = make(options);
    peer.waiters = [];
    peer.closed = new Promise((resolve) => {
      peer.client.onWebSocketClose = resolve;
    });
    peer.refused = new Promise((resolve) => {
      peer.client.onStompError = resolve;
    });
    peer.client.onConnect = (frame) => {
      peer.connections += 1;
      peer.connected = frame;
      peer.waiters.splice(0).forEach((waiter) => waiter());
    };
    const first = peer.nextConnection();
    peer.client.activate();
    await soon(first, "CONNECTED");
    return peer;
  }

  nextConnection() {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Does something with a receipt header, and waits for the RECEIPT. */
  async confirmed(act) {
    const receipt = `r${(this.receipts += 1)}`;
    const came = new Promise((resolve) => this.client.watchForReceipt(receipt, resolve));
    act(receipt);
    return soon(came, `the RECEIPT ${receipt}`);
  }

  send(destination, content) {
    return this.confirmed((receipt) =>
      this.client.publish({ destination, ...content, headers: { receipt, ...content.headers } })
    );
  }

  async subscribe(destination, headers = {}) {
    const messages = [];
    const waiters = [];
    let subscription;
    await this.confirmed((receipt) => {
      subscription = this.client.subscribe(
        destination,
        (message) => {
          const waiter = waiters.shift();
          if (waiter) waiter(message);
          else messages.push(message);
        },
        { receipt, ...headers }
      );
    });
    const next = () =>
      soon(
        messages.length ? Promise.resolve(messages.shift()) : new Promise((resolve) => waiters.push(resolve)),
        "a MESSAGE"
      );
    return { next, subscription };
  }

  async leave() {
    await soon(this.client.deactivate(), "the goodbye");
  }
}

const SCENARIOS = {
  async connects(make) {
    const peer = await Peer.connect(make);
    check(peer.connected.headers.version === "1.2", `version ${peer.connected.headers.version}`);
    await peer.leave();
  },

  async subscribes_and_sends(make, queue) {
    const peer = await Peer.connect(make);
    const { next } = await peer.subscribe(queue);
    await peer.send(queue, { body: "¡Hola! 漢字 🦉", headers: { note: "a: b" } });
    const message = await next();
    check(message.body === "¡Hola! 漢字 🦉", `body ${message.body}`);
    check(message.headers.note === "a: b", `note ${message.headers.note}`);
    await peer.leave();
  },

  async acknowledges(make, queue) {
    const peer = await Peer.connect(make);
    const { next, subscription } = await peer.subscribe(queue, { ack: "client-individual" });
    await peer.send(queue, { body: "again" });
    (await next()).nack();
    const message = await next();
    check(message.headers.redelivered === "true", "it was not flagged");
    message.ack();
    await peer.confirmed((receipt) => subscription.unsubscribe({ receipt }));
    await peer.leave();
  },

  async commits_and_aborts(make, queue) {
    const peer = await Peer.connect(make);
    const { next } = await peer.subscribe(queue);
    const lost = peer.client.begin();
    peer.client.publish({ destination: queue, body: "lost", headers: { transaction: lost.id } });
    lost.abort();
    const kept = peer.client.begin();
    peer.client.publish({ destination: queue, body: "kept", headers: { transaction: kept.id } });
    kept.commit();
    const message = await next();
    check(message.body === "kept", `body ${message.body}`);
    await peer.leave();
  },

  async carries_binary_bodies(make, queue) {
    const peer = await Peer.connect(make);
    const { next } = await peer.subscribe(queue);
    const octets = Uint8Array.from({ length: 512 }, (_, at) => at % 256);
    await peer.send(queue, { binaryBody: octets, headers: { "content-type": "application/octet-stream" } });
    const { binaryBody } = await next();
    check(binaryBody.length === 512, `${binaryBody.length} octets`);
    check(binaryBody.every((octet, at) => octet === at % 256), "other octets");
    await peer.leave();
  },

  async text_beside_binary_bodies_stays_text(make, queue) {
    const peer = await Peer.connect(make);
    for (const body of ["ä", "ö"]) await peer.send(queue, { body });
    await peer.send(queue, { binaryBody: Uint8Array.of(255, 254) });
    await peer.send(queue, { body: "ü" });
    const { next } = await peer.subscribe(queue);
    const bodies = [(await next()).body, (await next()).body, (await next()).binaryBody[0], (await next()).body];
    check(JSON.stringify(bodies) === '["ä","ö",255,"ü"]', JSON.stringify(bodies));
    await peer.leave();
  },

  async carries_large_frames(make, queue) {
    const peer = await Peer.connect(make);
    const { next } = await peer.subscribe(queue);
    const body = "0123456789äöü🦉".repeat(100000);
    await peer.send(queue, { body });
    check((await next()).body === body, "another body");
    await peer.leave();
  },

  async carries_frames_split_over_messages(make, queue) {
    const peer = await Peer.connect(make, { splitLargeFrames: true, maxWebSocketChunkSize: 1000 });
    const { next } = await peer.subscribe(queue);
    const body = "0123456789".repeat(10000);
    await peer.send(queue, { body });
    check((await next()).body === body, "another body");
    await peer.leave();
  },

  async keeps_heart_beats(make, queue) {
    const peer = await Peer.connect(make, { heartbeatIncoming: 200, heartbeatOutgoing: 200 });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    check(peer.connections === 1, `${peer.connections} connections`);
    const { next } = await peer.subscribe(queue);
    await peer.send(queue, { body: "still here" });
    await next();
    await peer.leave();
  },

  async connects_again(make, queue) {
    const peer = await Peer.connect(make, { reconnectDelay: 50 });
    await peer.send(queue, { body: "before" });
    const again = peer.nextConnection();
    peer.client.forceDisconnect();
    await soon(again, "another CONNECTED");
    const { next } = await peer.subscribe(queue);
    check((await next()).body === "before", "another body");
    await peer.leave();
  },

  async learns_why_it_is_refused(make, queue, { isWebSocket }) {
    const peer = await Peer.connect(make, { reconnectDelay: 0 });
    peer.client.publish({ destination: "/nowhere", body: "" });
    const error = await soon(peer.refused, "an ERROR");
    check(error.headers["error-code"] === "invalid-destination", error.headers["error-code"]);
    const close = await soon(peer.closed, "the close");
    if (isWebSocket) {
      check(close.code === 1008, `code ${close.code}`);
      check(close.reason.startsWith("invalid-destination: "), `reason ${close.reason}`);
    }
    await peer.leave();
  },
};

/** Runs them all, and returns by name what went wrong with each; null is nothing. */
export async function run(make, traits) {
  const results = {};
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    try {
      await scenario(make, `/queue/${traits.prefix}-${name}`, traits);
      results[name] = null;
    } catch (error) {
      results[name] = String(error.stack || error);
    }
  }
  return results;
}
