/** An app asked to sign a person out (OpenID Connect RP-Initiated Logout 1.0): the person says of what. */
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import type { SignIn } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import type { SignIns } from '../identity/sign-ins.ts'
import { hashed } from './adapter.ts'
import { cookieIn } from './consents.ts'
import { cookieNames, type OpenId } from './provider.ts'
import { statements } from './store.ts'

interface Leaving {
  secret?: string
  clientId?: string
  state?: string
  postLogoutRedirectUri?: string
}

export function createLeave(options: { store: Store; openId: OpenId; signIns: Pick<SignIns, 'end'> }) {
  const { store, openId, signIns } = options
  /** `ended`: the sign-in of this device is over, its cookie should go. */
  return async (
    call: { actor: Actor; signIn: SignIn | null; cookie: string },
    { ask, everywhere }: { ask: string; everywhere: boolean },
  ): Promise<{ to: string; ended: boolean; app: string | null }> => {
    const provider = await openId.provider()
    const id = cookieIn(call.cookie, cookieNames(openId.secure()).session)
    const session = id ? await provider.Session.find(id) : undefined
    const leaving = session?.state as Leaving | undefined
    if (!session || !leaving?.secret || leaving.secret !== ask) throw fail('consent.unknown')
    const { clientId, state, postLogoutRedirectUri } = leaving
    const app = clientId
      ? (await store.system.read((tx) => statements.appOfClient({ clientId }).execute(tx))).rows[0]
      : undefined
    const ended = everywhere && call.signIn !== null
    if (ended && call.signIn) {
      const { id: signInId } = call.signIn
      // What hangs on it is refused from here on; taking it away and telling the apps follows the event.
      await store.system.transaction((tx) => signIns.end(tx, signInId))
    } else {
      const grantId = clientId ? session.grantIdFor(clientId) : undefined
      if (grantId)
        await store.system.transaction((tx) =>
          statements.dropWholeGrant({ grantId: hashed(grantId) }).execute(tx),
        )
      if (clientId && session.authorizations) delete session.authorizations[clientId]
      session.state = undefined
      await session.persist()
    }
    const to = new URL(postLogoutRedirectUri ?? '/', openId.issuer())
    if (postLogoutRedirectUri && state) to.searchParams.set('state', state)
    return { to: postLogoutRedirectUri ? to.href : '/', ended, app: app?.id ?? null }
  }
}
export type Leave = ReturnType<typeof createLeave>
