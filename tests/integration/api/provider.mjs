// A certified OpenID Connect provider on the loopback address, for test_oidc.py.
// Arguments: the address of the callback. Prints its own address when it listens. Users log in by their name alone.
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const groups = { ada: ['ml-team'], grace: ['ml-admins', 'ml-team'], mallory: ['sales'] };

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'fgfi',
      client_secret: 'a secret of this test alone',
      redirect_uris: [process.argv[2]],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  pkce: { required: () => true },
  scopes: ['openid', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
  conformIdTokenClaims: process.argv[3] !== 'in-token', // true: groups are told at the userinfo endpoint alone.
  cookies: { keys: ['signs the cookies of this test alone'] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, name) => ({
    accountId: name,
    claims: async () => ({ sub: name, email: `${name}@example.org`, email_verified: name !== 'ada', groups: groups[name] ?? [] }),
  }),
});
server.on('request', provider.callback());
console.log(issuer);
