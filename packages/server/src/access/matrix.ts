/** The permission matrix as data: what each route answers to each kind of asker. A route that is missing here fails the test. */
import type { Role } from '@kalnet/contracts/permission'

export type Asker = 'nobody' | Role | 'local'
export const ASKERS: readonly Asker[] = ['nobody', 'owner', 'admin', 'member', 'child', 'guest', 'local']

const everybody = ASKERS
const signedIn = ASKERS.filter((asker) => asker !== 'nobody')
const stewards: readonly Asker[] = ['owner', 'admin', 'local']
const launchers: readonly Asker[] = ['owner', 'admin', 'member', 'child', 'local']
const keyHolders: readonly Asker[] = ['owner', 'admin', 'member', 'local']
const grownUps: readonly Asker[] = ['owner', 'admin', 'member', 'local']
const ownerOnly: readonly Asker[] = ['owner', 'local']
const cli: readonly Asker[] = ['local']

/** `about`: whose thing it may be. 'own': only one's own; 'organisation': stewards reach everybody's; 'none': it is about no thing. */
export interface Expectation {
  may: readonly Asker[]
  about: 'own' | 'organisation' | 'none'
}

export const MATRIX: Record<string, Expectation> = {
  'GET /api/status': { may: everybody, about: 'none' },
  'POST /api/claim': { may: everybody, about: 'none' },
  'POST /api/sign-in': { may: everybody, about: 'none' },
  'POST /api/sign-out': { may: signedIn, about: 'own' },
  'GET /api/me': { may: signedIn, about: 'own' },
  'PATCH /api/me': { may: signedIn, about: 'own' },
  'GET /api/sign-in/methods': { may: everybody, about: 'none' },
  'POST /api/sign-in/second-factor': { may: everybody, about: 'none' },
  'POST /api/sign-in/second-factor/passkey': { may: everybody, about: 'none' },
  'POST /api/sign-in/passkey/options': { may: everybody, about: 'none' },
  'POST /api/sign-in/passkey': { may: everybody, about: 'none' },
  'POST /api/sign-in/step-up/options': { may: signedIn, about: 'own' },
  'POST /api/sign-in/step-up': { may: signedIn, about: 'own' },
  'POST /api/password-reset': { may: everybody, about: 'none' },
  'POST /api/password-reset/use': { may: everybody, about: 'none' },
  'GET /api/factors': { may: signedIn, about: 'own' },
  'POST /api/factors/totp': { may: signedIn, about: 'own' },
  'POST /api/factors/totp/confirm': { may: signedIn, about: 'own' },
  'DELETE /api/factors/totp': { may: signedIn, about: 'own' },
  'POST /api/factors/recovery-codes': { may: signedIn, about: 'own' },
  'POST /api/passkeys/options': { may: signedIn, about: 'own' },
  'POST /api/passkeys': { may: signedIn, about: 'own' },
  'PATCH /api/passkeys/:id': { may: signedIn, about: 'own' },
  'DELETE /api/passkeys/:id': { may: signedIn, about: 'own' },
  'GET /api/sign-ins': { may: signedIn, about: 'own' },
  'DELETE /api/sign-ins/:id': { may: signedIn, about: 'own' },
  'POST /api/sign-ins/end-others': { may: signedIn, about: 'own' },
  'POST /api/sign-ins/end-all': { may: signedIn, about: 'own' },
  'GET /api/sign-in-policies': { may: stewards, about: 'none' },
  'PUT /api/sign-in-policies/:role': { may: stewards, about: 'none' },
  'GET /api/templates': { may: signedIn, about: 'none' },
  'GET /api/templates/:id': { may: signedIn, about: 'none' },
  'GET /api/templates/:id/icon': { may: signedIn, about: 'none' },
  'GET /api/sessions': { may: signedIn, about: 'organisation' },
  'GET /api/sessions/:id': { may: signedIn, about: 'organisation' },
  'POST /api/sessions': { may: launchers, about: 'own' },
  'POST /api/sessions/:id/stop': { may: signedIn, about: 'organisation' },
  'POST /api/sessions/:id/restart': { may: signedIn, about: 'organisation' },
  'DELETE /api/sessions/:id': { may: signedIn, about: 'organisation' },
  'GET /api/sessions/:id/logs': { may: signedIn, about: 'organisation' },
  'POST /api/sessions/:id/first-frame': { may: signedIn, about: 'own' },
  'POST /api/sessions/:id/thumbnail': { may: signedIn, about: 'own' },
  'POST /api/sessions/:id/tickets': { may: signedIn, about: 'own' },
  'GET /api/controllers': { may: stewards, about: 'none' },
  'POST /api/controllers/tokens': { may: stewards, about: 'none' },
  'POST /api/controllers/enrol': { may: everybody, about: 'none' },
  'PATCH /api/controllers/:id': { may: stewards, about: 'none' },
  'POST /api/controllers/:id/drain': { may: stewards, about: 'none' },
  'POST /api/controllers/:id/rotate': { may: stewards, about: 'none' },
  'DELETE /api/controllers/:id': { may: stewards, about: 'none' },
  'GET /api/me/keys': { may: keyHolders, about: 'own' },
  'POST /api/me/keys': { may: keyHolders, about: 'own' },
  'POST /api/me/keys/:id/rotate': { may: keyHolders, about: 'own' },
  'DELETE /api/me/keys/:id': { may: keyHolders, about: 'own' },
  'GET /api/keys': { may: stewards, about: 'none' },
  'POST /api/keys/:id/rotate': { may: stewards, about: 'none' },
  'DELETE /api/keys/:id': { may: stewards, about: 'none' },
  'GET /api/service-accounts': { may: stewards, about: 'none' },
  'POST /api/service-accounts': { may: stewards, about: 'none' },
  'PATCH /api/service-accounts/:id': { may: stewards, about: 'none' },
  'DELETE /api/service-accounts/:id': { may: stewards, about: 'none' },
  'POST /api/service-accounts/:id/keys': { may: stewards, about: 'none' },
  'GET /api/people': { may: signedIn, about: 'none' },
  'GET /api/people/:id': { may: signedIn, about: 'none' },
  'PATCH /api/people/:id': { may: stewards, about: 'none' },
  'POST /api/people/:id/role': { may: stewards, about: 'none' },
  'POST /api/people/:id/off': { may: stewards, about: 'none' },
  'POST /api/people/:id/on': { may: stewards, about: 'none' },
  'POST /api/people/:id/sign-out': { may: stewards, about: 'none' },
  'POST /api/people/:id/reset': { may: stewards, about: 'none' },
  'DELETE /api/people/:id': { may: stewards, about: 'none' },
  'POST /api/me/leave': { may: signedIn, about: 'own' },
  'GET /api/groups': { may: grownUps, about: 'none' },
  'POST /api/groups': { may: stewards, about: 'none' },
  'PATCH /api/groups/:id': { may: stewards, about: 'none' },
  'DELETE /api/groups/:id': { may: stewards, about: 'none' },
  'GET /api/invitations': { may: stewards, about: 'none' },
  'POST /api/invitations': { may: stewards, about: 'none' },
  'POST /api/invitations/:id/resend': { may: stewards, about: 'none' },
  'DELETE /api/invitations/:id': { may: stewards, about: 'none' },
  'POST /api/invitations/look': { may: everybody, about: 'none' },
  'POST /api/invitations/accept': { may: everybody, about: 'none' },
  'GET /api/organisation': { may: signedIn, about: 'none' },
  'PATCH /api/organisation': { may: ownerOnly, about: 'none' },
  'POST /api/local/organisations': { may: cli, about: 'none' },
  'GET /api/local/organisations': { may: cli, about: 'none' },
  'POST /api/local/claim-link': { may: cli, about: 'none' },
  'POST /api/local/reset-owner': { may: cli, about: 'none' },
  'POST /api/local/controller-token': { may: cli, about: 'none' },
}
