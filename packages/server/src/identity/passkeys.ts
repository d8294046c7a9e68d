/** Passkeys (WebAuthn): made for this address, kept by their maker, checked with user verification; challenges work once. */
import { fail } from '@kalnet/contracts/errors'
import type { Assertion, NewCredential } from '@kalnet/contracts/passkey'
import type { Clock } from '@kalnet/io/clock'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { v7 as newId } from 'uuid'
import { aside, type Store, type Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { hashOf } from './cookie.ts'
import { type PasskeyRow, statements } from './factors.store.ts'
import { createLane } from './lane.ts'
import type { PasskeyPlace } from './passkey-place.ts'
import type { UserRow } from './store.ts'

/** Ed25519, ES256, RS256: what every authenticator has one of. */
const ALGORITHMS = [-8, -7, -257]
const CHALLENGE_MS = 5 * 60_000
type Place = Extract<PasskeyPlace, { available: true }>
type Purpose = 'make' | 'sign-in' | 'second-factor' | 'step-up'
type Whose = Pick<UserRow, 'id' | 'organisation_id'>

/** A passkey that has just proved who shows it. Call `use` in the transaction of what it opens. */
export interface Shown {
  passkey: PasskeyRow
  use(tx: Tx): Promise<void>
}
export interface Passkeys {
  creationOptions(user: UserRow, place: Place): Promise<{ challenge: string }>
  /** Throws passkey.refused. Everything is checked here; the row is written by the caller. */
  made(user: Whose, response: NewCredential): Promise<(tx: Tx, name: string) => Promise<PasskeyRow>>
  /** `user` null: whoever has one for this address. */
  requestOptions(purpose: Purpose, user: Whose | null, place: Place): Promise<{ challenge: string }>
  /** Throws passkey.refused. */
  shown(purpose: Purpose, user: Whose | null, response: Assertion): Promise<Shown>
}

/** What the browser signed; null when it is not what a browser makes. */
function challengeIn(clientDataJSON: string): string | null {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
    const { challenge } = data as { challenge?: unknown }
    return typeof challenge === 'string' ? challenge : null
  } catch {
    // Not JSON: refused by the caller like any other forgery.
    return null
  }
}

export function createPasskeys({ store, clock }: { store: Store; clock: Clock }): Passkeys {
  const moment = (ms = 0) => new Date(clock.now().getTime() + ms).toISOString()

  /** Anybody may ask for one: a crowd of them must not take the database from those inside. */
  const doorway = createLane({ atOnce: 4, waiting: 64 })
  const remember = (challenge: string, purpose: Purpose, user: Whose | null, place: Place) => {
    const row = {
      hash: hashOf(challenge),
      purpose,
      organisationId: user?.organisation_id ?? null,
      userId: user?.id ?? null,
      rpId: place.rpId,
      origin: place.origin,
      expiresAt: moment(CHALLENGE_MS),
    }
    return doorway(() =>
      aside(() => store.system.transaction((tx) => statements.addChallenge(row).execute(tx))),
    )
  }
  /** Used up even when what follows is refused. */
  async function useChallenge(clientDataJSON: string, purpose: Purpose, user: Whose | null) {
    const challenge = challengeIn(clientDataJSON)
    if (challenge === null) throw fail('passkey.refused')
    const given = { hash: hashOf(challenge), purpose, userId: user?.id ?? null, now: moment() }
    const { rows } = await aside(() =>
      store.system.transaction((tx) => statements.useChallenge(given).execute(tx)),
    )
    if (!rows[0]) throw fail('passkey.refused')
    return { challenge, origin: rows[0].origin, rpId: rows[0].rp_id }
  }
  const owned = async (user: Whose, rpId: string) =>
    (await store.system.read((tx) => statements.passkeysOf({ userId: user.id }).execute(tx))).rows
      .filter((row) => row.rp_id === rpId)
      .map((row) => ({ id: row.credential_id, transports: row.transports }))

  return {
    async creationOptions(user, place) {
      const options = await generateRegistrationOptions({
        rpName: 'Kalnet',
        rpID: place.rpId,
        userName: user.email ?? user.name,
        userDisplayName: user.name,
        userID: new Uint8Array(Buffer.from(user.id)),
        attestationType: 'none',
        supportedAlgorithmIDs: ALGORITHMS,
        excludeCredentials: await owned(user, place.rpId),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
      await remember(options.challenge, 'make', user, place)
      return options
    },
    async made(user, response) {
      const { challenge, origin, rpId } = await useChallenge(response.response.clientDataJSON, 'make', user)
      const verified = await verifyRegistrationResponse({
        response: response as Parameters<typeof verifyRegistrationResponse>[0]['response'],
        expectedChallenge: challenge,
        expectedOrigin: origin,
        expectedRPID: rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch((error: unknown) => {
        throw fail('passkey.refused', {}, error)
      })
      if (!verified.verified) throw fail('passkey.refused')
      const { credential, credentialBackedUp } = verified.registrationInfo
      return async (tx, name) => {
        const id = newId()
        const row = {
          id,
          organisationId: user.organisation_id,
          userId: user.id,
          credentialId: credential.id,
          publicKey: Buffer.from(credential.publicKey).toString('base64url'),
          counter: credential.counter,
          transports: response.response.transports ?? [],
          rpId,
          synced: credentialBackedUp,
          name,
          at: moment(),
        }
        await statements
          .addPasskey(row)
          .execute(tx)
          .catch((error: unknown) => {
            throw isDuplicate(error, 'passkeys_credential_id_key') ? fail('passkey.refused') : error
          })
        const added = (await statements.passkeyById({ id }).execute(tx)).rows[0]
        if (!added) throw fail('passkey.refused')
        return added
      }
    },
    async requestOptions(purpose, user, place) {
      const options = await generateAuthenticationOptions({
        rpID: place.rpId,
        userVerification: 'required',
        ...(user ? { allowCredentials: await owned(user, place.rpId) } : {}),
      })
      await remember(options.challenge, purpose, user, place)
      return options
    },
    async shown(purpose, user, response) {
      const { challenge, origin, rpId } = await useChallenge(response.response.clientDataJSON, purpose, user)
      const found = await store.system.read((tx) =>
        statements.passkeyByCredential({ credentialId: response.id }).execute(tx),
      )
      const passkey = found.rows[0]
      if (!passkey || passkey.rp_id !== rpId || (user && passkey.user_id !== user.id))
        throw fail('passkey.refused')
      const { userHandle } = response.response
      const handle = Buffer.from(passkey.user_id).toString('base64url')
      // Without a name it is the handle that says who it is; a wrong one is somebody else's key.
      if (userHandle ? userHandle.replace(/=+$/, '') !== handle : !user) throw fail('passkey.refused')
      const verified = await verifyAuthenticationResponse({
        response: response as Parameters<typeof verifyAuthenticationResponse>[0]['response'],
        expectedChallenge: challenge,
        expectedOrigin: origin,
        expectedRPID: rpId,
        requireUserVerification: true,
        credential: {
          id: passkey.credential_id,
          publicKey: new Uint8Array(Buffer.from(passkey.public_key, 'base64url')),
          counter: Number(passkey.counter),
        },
      }).catch((error: unknown) => {
        throw fail('passkey.refused', {}, error)
      })
      if (!verified.verified) throw fail('passkey.refused')
      const { newCounter, credentialBackedUp } = verified.authenticationInfo
      return {
        passkey,
        async use(tx) {
          const used = { id: passkey.id, counter: newCounter, synced: credentialBackedUp, at: moment() }
          if ((await statements.usePasskey(used).execute(tx)).rows.length === 0) throw fail('passkey.refused')
        },
      }
    },
  }
}
