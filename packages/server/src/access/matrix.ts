/** The permission matrix as data: what each route answers to each kind of asker. A route that is missing here fails the test. */
import type { Role } from '@kalnet/contracts/permission'

export type Asker = 'nobody' | Role | 'local'
export const ASKERS: readonly Asker[] = ['nobody', 'owner', 'admin', 'member', 'child', 'guest', 'local']

const everybody = ASKERS
const signedIn = ASKERS.filter((asker) => asker !== 'nobody')
const stewards: readonly Asker[] = ['owner', 'admin', 'local']
const launchers: readonly Asker[] = ['owner', 'admin', 'member', 'child', 'local']
const keyHolders: readonly Asker[] = ['owner', 'admin', 'member', 'local']
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
  'POST /api/local/claim-link': { may: cli, about: 'none' },
  'POST /api/local/reset-owner': { may: cli, about: 'none' },
  'POST /api/local/controller-token': { may: cli, about: 'none' },
}
