/** The question an app puts to a person: looked at on the consent page, answered once, remembered, taken back. */
import { type AppScope, appScope, type ConsentQuestion, type MyApp } from '@kalnet/contracts/app'
import { fail } from '@kalnet/contracts/errors'
import type { Actor } from '@kalnet/contracts/permission'
import { type Clock, stamp } from '@kalnet/io/clock'
import type { SignIn } from '../core/http.ts'
import type { Store } from '../core/store.ts'
import { hashed } from './adapter.ts'
import { type AppPeople, admits } from './people.ts'
import { ACR, amrOf, cookieNames, type OpenId } from './provider.ts'
import { type AppRow, statements } from './store.ts'

/** Whoever sits before the consent page. */
export interface Asked {
  actor: Actor
  signIn: SignIn | null
  /** The Cookie header. */
  cookie: string
}
export interface Consents {
  question(uid: string, asked: Asked): Promise<ConsentQuestion>
  /** Where to go on; also for an app that is trusted or was allowed before. */
  decide(
    uid: string,
    decision: 'allow' | 'refuse',
    asked: Asked,
  ): Promise<{ to: string; app: AppRow; scopes: string[] }>
  mine(actor: Actor): Promise<MyApp[]>
  forget(actor: Actor, appId: string): Promise<void>
}

export const cookieIn = (header: string, name: string): string | null => {
  for (const pair of header.split(';')) {
    const text = pair.trim()
    if (text.startsWith(`${name}=`)) return text.slice(name.length + 1)
  }
  return null
}
const seconds = (time: string) => Math.floor(Date.parse(time) / 1000)
/** A little more than the time a browser takes from there to here. */
const SLACK_SECONDS = 5

export function createConsents(options: {
  store: Store
  clock: Clock
  openId: OpenId
  people: AppPeople
}): Consents {
  const { store, clock, openId, people } = options

  /** The question, of this very browser, about an app of this very organisation. */
  async function open(uid: string, { actor, cookie }: Asked) {
    const provider = await openId.provider()
    // Without the cookie anybody could send the address of his own question to another, and be signed in as them.
    if (cookieIn(cookie, cookieNames(openId.secure()).asked(uid)) !== uid) throw fail('consent.unknown')
    const question = await provider.Interaction.find(uid)
    if (!question || question.result) throw fail('consent.unknown')
    const clientId = String(question.params.client_id)
    const app = (await store.system.read((tx) => statements.appOfClient({ clientId }).execute(tx))).rows[0]
    if (!app) throw fail('consent.unknown')
    const person = await people.find(actor.userId)
    if (!person || !admits(app, person)) throw fail('app.closed', { name: app.name })
    const wanted = String(question.params.scope ?? '').split(' ')
    const scopes = appScope.options.filter((it) => wanted.includes(it))
    return { provider, question, app, person, scopes }
  }
  type Open = Awaited<ReturnType<typeof open>>

  async function isRemembered({ app, person, scopes, question }: Open): Promise<boolean> {
    if (app.trusted) return true
    if (
      String(question.params.prompt ?? '')
        .split(' ')
        .includes('consent')
    )
      return false
    const { rows } = await store.system.read((tx) =>
      statements.consent({ userId: person.id, appId: app.id }).execute(tx),
    )
    return scopes.every((it) => rows[0]?.scopes.includes(it))
  }

  /** How long ago the person must have proved who it is, as the app asks (max_age, prompt=login). */
  function assertFresh({ question }: Open, provedAt: string) {
    const { params } = question
    const provedAgo = clock.now().getTime() / 1000 - Date.parse(provedAt) / 1000
    const asksLogin = String(params.prompt ?? '')
      .split(' ')
      .includes('login')
    const oldest = asksLogin
      ? clock.now().getTime() / 1000 - (question.iat ?? 0) + SLACK_SECONDS
      : params.max_age === undefined
        ? Number.POSITIVE_INFINITY
        : Number(params.max_age) + SLACK_SECONDS
    if (provedAgo > oldest) throw fail('step-up.required')
  }

  /** `acr` as an essential claim (OpenID Connect Core 1.0, §5.5.1.1). */
  function assertAssurance({ question, app }: Open, assurance: 1 | 2) {
    const acr = (question.prompt.details as { acr?: { value?: string; values?: string[] } }).acr
    if (!acr) return
    const good = acr.values ?? [acr.value]
    if (!good.includes(ACR[assurance])) throw fail('app.proof', { name: app.name })
  }

  async function signInOf({ signIn }: Asked) {
    const row = signIn
      ? (
          await store.system.read((tx) =>
            statements.liveSignIn({ id: signIn.id, now: stamp(clock) }).execute(tx),
          )
        ).rows[0]
      : undefined
    // A service key or the CLI is nobody at a screen.
    if (!row) throw fail('permission.denied')
    return row
  }

  async function allow(it: Open, asked: Asked) {
    const { provider, question, app, person, scopes } = it
    const signIn = await signInOf(asked)
    assertFresh(it, signIn.proved_at)
    const assurance = signIn.assurance === 2 ? 2 : 1
    assertAssurance(it, assurance)
    // A session of another sign-in of this browser gives way to this one.
    const before = question.session?.uid
      ? (
          await store.system.read((tx) =>
            statements
              .findRecordByUid({
                kind: 'Session',
                uid: hashed(question.session?.uid ?? ''),
                now: stamp(clock),
              })
              .execute(tx),
          )
        ).rows[0]
      : undefined
    if (before?.sign_in_id !== signIn.id) question.session = undefined
    const grant = new provider.Grant({ accountId: person.id, clientId: app.client_id })
    grant.addOIDCScope(scopes.join(' '))
    const grantId = await grant.save()
    await store.system.transaction(async (tx) => {
      await statements.bindGrant({ id: hashed(grantId), signInId: signIn.id }).execute(tx)
      await statements
        .allow({
          organisationId: app.organisation_id,
          userId: person.id,
          appId: app.id,
          scopes,
          at: stamp(clock),
        })
        .execute(tx)
    })
    question.result = {
      login: {
        accountId: person.id,
        ts: seconds(signIn.proved_at),
        acr: ACR[assurance],
        amr: amrOf(signIn.method, assurance),
        remember: true,
      },
      consent: { grantId },
    }
  }

  return {
    async question(uid, asked) {
      const it = await open(uid, asked)
      const { app, person, scopes } = it
      return {
        app: { id: app.id, name: app.name, host: new URL(String(it.question.params.redirect_uri)).host },
        me: { name: person.name, email: person.email ?? '' },
        scopes: scopes as AppScope[],
        state: (await isRemembered(it)) ? 'ready' : 'ask',
      }
    },
    async decide(uid, decision, asked) {
      const it = await open(uid, asked)
      const { question, app, scopes } = it
      if (decision === 'allow') await allow(it, asked)
      else question.result = { error: 'access_denied', error_description: 'the person refused' }
      await question.save(Math.max(1, (question.exp ?? 0) - seconds(stamp(clock))))
      return { to: question.returnTo, app, scopes }
    },
    async mine({ userId, organisationId }) {
      const { rows } = await store
        .as(organisationId)
        .read((tx) => statements.consentsOf({ userId }).execute(tx))
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        scopes: appScope.options.filter((it) => row.scopes.includes(it)),
        since: row.created_at,
        lastUsedAt: row.last_used_at,
      }))
    },
    async forget({ userId, organisationId }, appId) {
      await store.as(organisationId).transaction(async (tx) => {
        const { rows } = await statements.withdraw({ userId, appId }).execute(tx)
        if (!rows[0]) throw fail('thing.unknown', { kind: 'app' })
        await statements.dropRecordsOf({ userId, appId }).execute(tx)
      })
    },
  }
}
