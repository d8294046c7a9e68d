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
  about: { organisationId: string; name: string; callback: string; signOut: string | null },
): Promise<ServiceApp> {
  const { organisationId, name, callback, signOut } = about
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
      logoutUri: signOut,
      roles: [],
      groups: [],
      trusted: true,
      at: stamp(clock),
    })
    .execute(tx)
  return { appId, client, secret }
}

/** A newer template says otherwise where it is told of a sign-out. */
export const changeServiceApp = async (
  tx: Tx,
  clock: Clock,
  { appId, signOut }: { appId: string; signOut: string | null },
): Promise<void> =>
  void (await statements.setLogout({ id: appId, logoutUri: signOut, at: stamp(clock) }).execute(tx))

export const closeServiceApp = async (tx: Tx, appId: string): Promise<void> =>
  void (await statements.removeApp({ id: appId }).execute(tx))
