/** The app a service of ours signs people in by (OpenID Connect): made with the service and gone with it, in its transactions. */
import { randomBytes } from 'node:crypto'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import type { Tx } from '../core/store.ts'
import { hashed } from './adapter.ts'
import { statements } from './store.ts'

export interface ServiceApp {
  appId: string
  client: string
  /** Nowhere else readable; it is kept sealed with the service. */
  secret: string
}

/** Trusted: the household installed it itself, so nobody is asked whether it may know who they are. */
export async function openServiceApp(
  tx: Tx,
  clock: Clock,
  { organisationId, name, callback }: { organisationId: string; name: string; callback: string },
): Promise<ServiceApp> {
  const appId = newId()
  const client = `app-${randomBytes(9).toString('hex')}`
  const secret = randomBytes(32).toString('base64url')
  await statements
    .addApp({
      id: appId,
      organisationId,
      clientId: client,
      name,
      kind: 'confidential',
      secretHash: hashed(secret),
      redirectUris: [callback],
      leaveUris: [],
      logoutUri: null,
      roles: [],
      groups: [],
      trusted: true,
      at: stamp(clock),
    })
    .execute(tx)
  return { appId, client, secret }
}

export const closeServiceApp = async (tx: Tx, appId: string): Promise<void> =>
  void (await statements.removeApp({ id: appId }).execute(tx))
