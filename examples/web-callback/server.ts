/** The OAuth callback inside a web application of your own: here Express, elsewhere the same two lines. */
import express from 'express';
import { connectConsents } from 'durable-oauth/client';

const { TEMPORAL_ADDRESS = 'localhost:7233', PUBLIC_URL = 'http://localhost:8080', PORT = '8090' } = process.env;

async function main(): Promise<void> {
  const jwksUrl = `${PUBLIC_URL}/.well-known/jwks.json`;
  const consents = await connectConsents({ address: TEMPORAL_ADDRESS, jwksUrl, publicUrl: PUBLIC_URL });
  const app = express();
  app.get('/oauth/callback', async (request, response) => {
    const { status, location } = await consents.callback(request.url, request.headers.cookie);
    response.redirect(status, location);
  });
  app.listen(Number(PORT), '127.0.0.1', () => console.log(`Callback: http://localhost:${PORT}/oauth/callback`));
}

void main();
