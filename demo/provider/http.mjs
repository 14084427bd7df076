/** The little that the API and the admin port need of HTTP. */

/** @param {import('node:http').ServerResponse} res */
export function answer(res, status, body, headers = {}) {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  res.end(JSON.stringify(body));
}

/** @param {import('node:http').IncomingMessage} req */
export async function readJson(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/**
 * Listens on loopback.
 *
 * @param {import('node:http').Server} server
 * @param {number} port 0 = any free one
 * @returns {Promise<number>} the port
 */
export async function listen(server, port) {
  // A pooled connection closed by the server just as a refresh is sent would look like a lost answer.
  server.keepAliveTimeout = 600_000;
  await new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        error.code === 'EADDRINUSE' ? new Error(`Port ${port} is in use: end the process that listens there.`) : error,
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return server.address().port;
}

/** Stops listening, lets answers under way finish for at most `ms`, then cuts what is left. */
export async function close(/** @type {import('node:http').Server} */ server, /** @type {number} */ ms) {
  const cut = setTimeout(() => server.closeAllConnections(), ms);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}
