/** For tests of signing in: a clock in our hands, people with passwords and factors, and the words of the API. */
import type { Role } from '@kalnet/contracts/permission'
import { type Clock, systemClock } from '@kalnet/io/clock'
import { Secret, TOTP } from 'otpauth'
import { sql } from '../core/store.ts'
import { type Authenticator, createAuthenticator } from './authenticator.ts'
import { type Answer, askAt, type TestServer } from './server.ts'

/** Stands still, and is moved on by hand: no code runs out between making and showing it. */
export function movingClock(): Clock & { move(ms: number): void } {
  let at = Date.now()
  return {
    now: () => new Date(at),
    sleep: systemClock.sleep,
    move(ms) {
      at += ms
    },
  }
}
export const secretOf = (answer: Answer) =>
  /kalnet=([\w-]{43});/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1] ?? ''
export const codeOf = (answer: Answer) => answer.body.error?.code ?? 'done'

export interface Person {
  userId: string
  organisationId: string
  email: string
  password: string
}

/** Asks by the name `localhost`, as a browser does: passkeys need a name. */
export function createDoor(server: TestServer, clock: Clock) {
  const origin = `http://localhost:${server.port}`
  const headers = { host: `localhost:${server.port}`, origin, 'user-agent': 'Firefox/140 (X11; Linux)' }
  const ask = (method: string, path: string, as?: string, body?: unknown) =>
    askAt({ port: server.port }, method, path, {
      as,
      body: body ?? (method === 'GET' || method === 'DELETE' ? undefined : {}),
      headers,
    })
  const door = {
    origin,
    ask,
    async person(role: Role = 'member', organisationId?: string): Promise<Person> {
      const made = await server.person(role, organisationId)
      const password = `words of ${made.userId.slice(-6)} apart`
      const passwordHash = await server.identity.passwords.hash(password)
      await server.store.system.transaction((tx) =>
        sql`update users set password_hash = ${passwordHash} where id = ${made.userId}`.execute(tx),
      )
      const { userId } = made
      return { userId, organisationId: made.organisationId, email: `${userId}@example.org`, password }
    },
    signIn: ({ email, password }: Person, as?: string) =>
      ask('POST', '/api/sign-in', as, { email, password }),
    async in(person: Person) {
      return secretOf(await door.signIn(person))
    },
    attemptOf: (answer: Answer) => String(answer.body.attempt),
    secondFactor: (attempt: string, proof: object) =>
      ask('POST', '/api/sign-in/second-factor', undefined, { attempt, proof }),
    /** A code for now, or some steps away. */
    code(secret: string, steps = 0) {
      const timestamp = clock.now().getTime() + steps * 30_000
      return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp })
    },
    /** Sets one up; the code that confirmed it is of the step before, so that the current one is unused. */
    async addTotp(as: string) {
      const secret = String((await ask('POST', '/api/factors/totp', as)).body.secret)
      const answer = await ask('POST', '/api/factors/totp/confirm', as, { code: door.code(secret, -1) })
      return { secret, as: secretOf(answer), answer, codes: answer.body.recoveryCodes as string[] }
    },
    async addPasskey(as: string, key: Authenticator = createAuthenticator(origin), name = 'Key') {
      const { body } = await ask('POST', '/api/passkeys/options', as)
      const response = key.create(body.options)
      const answer = await ask('POST', '/api/passkeys', as, { name, response })
      return { key, as: secretOf(answer), answer, codes: answer.body.recoveryCodes as string[] | null }
    },
    async byPasskey(key: Authenticator, misbehaviour?: Parameters<Authenticator['get']>[1]) {
      const { body } = await ask('POST', '/api/sign-in/passkey/options')
      return ask('POST', '/api/sign-in/passkey', undefined, { response: key.get(body.options, misbehaviour) })
    },
    async demand(organisationId: string, role: Role, assurance: 1 | 2) {
      await server.store.system.transaction((tx) =>
        sql`insert into sign_in_policies values (${organisationId}, ${role}, ${assurance}, 86400000, 604800000)
          on conflict (organisation_id, role) do update set assurance = excluded.assurance`.execute(tx),
      )
    },
  }
  return door
}
export type DoorOfTest = ReturnType<typeof createDoor>
