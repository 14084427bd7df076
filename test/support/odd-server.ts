/** A server that answers as its test says: late, odd, cut short or not at all. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type OddAnswer = (request: Received, response: ServerResponse) => void;

export interface OddServer {
  readonly origin: string;
  readonly port: number;
  readonly received: Received[];
  /** How the next requests are answered. */
  answer: OddAnswer;
  close(): Promise<void>;
}

export async function oddServer(answer: OddAnswer = json(200, {})): Promise<OddServer> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
      received.push(seen);
      self.answer(seen, response);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const self: OddServer = {
    origin: `http://127.0.0.1:${port}`,
    port,
    received,
    answer,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
  return self;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): OddAnswer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

/** The request has come; its answer never does. */
export const hangUp: OddAnswer = (_request, response) => void response.socket?.destroy();

/** Whole headers, and a body that ends too early. */
export const truncated =
  (status: number, body: string): OddAnswer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(body.length + 100) });
    response.write(body, () => response.socket?.destroy());
  };

/** A body of one byte at a time that does not end. */
export const trickling: OddAnswer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(timer));
};
