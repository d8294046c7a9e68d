/** The part of the one error table that is about people, their door and whom they let in. */
import { type ErrorEntry, entry } from './error-entry.ts'

export const PEOPLE_ERRORS = {
  'sign-in.required': entry(401, 'You are not signed in.', 'Sign in and try again.'),
  'sign-in.wrong': entry(
    401,
    'That e-mail and password do not belong together.',
    'Check both and try again.',
  ),
  'sign-in.throttled': entry(429, 'Too many tries.', 'Wait {seconds} seconds and try again.'),
  'sign-in.unproved': entry(
    403,
    'Your organisation asks for a second way to prove who you are.',
    'Set up an authenticator app or a passkey on your account page.',
  ),
  'step-up.required': entry(
    403,
    'Please confirm that it is you.',
    'Prove who you are once more, then try again.',
  ),
  'second-factor.wrong': entry(
    401,
    'That code is not right.',
    'Wait for the next code, or check that the clock of your phone is right.',
  ),
  'second-factor.over': entry(
    401,
    'This sign-in took too long, or was tried too often.',
    'Sign in again from the beginning.',
  ),
  'step-up.wrong': entry(401, 'That is not right.', 'Check it and try again.'),
  'factor.demanded': entry(
    409,
    'Your organisation asks people with your role for a second way to prove who they are.',
    'Set up another authenticator app or passkey first.',
  ),
  'factor.not-begun': entry(
    409,
    'There is nothing to confirm, or it took too long.',
    'Begin again with a new code to scan.',
  ),
  'passkey.unavailable': entry(
    409,
    'Passkeys are not possible here: {reason}.',
    'Open Kalnet by its name, or use an authenticator app.',
  ),
  'passkey.refused': entry(
    401,
    'That passkey was not accepted.',
    'Try again, or use another way to sign in.',
  ),
  'password.wrong': entry(
    422,
    'That is not the password you have now.',
    'Check it, or ask for a link for a new one at the sign-in.',
  ),
  'password.weak': entry(
    422,
    'That password is easy to guess: {problem}.',
    'Take a few words that do not belong together.',
  ),
  'reset.unknown': entry(
    403,
    'This link is not valid, was used, or has expired.',
    'Ask for a new one on the sign-in page.',
  ),
  'key.invalid': entry(
    401,
    'This service key is not valid: it is wrong, was revoked, or has expired.',
    'Make a new one under Settings, Keys.',
  ),
  'key.lifetime': entry(403, 'Only an owner may make a key that never expires.', 'Choose at most a year.'),
  'scim.invalid': entry(400, '{problem}', 'Correct the request of the directory.'),
  'scim.refused': entry(403, '{problem}', 'Change it in Kalnet itself.'),
  'scim.conflict': entry(409, '{problem}', 'Use another name, or change the one that is there.'),
  'scim.version': entry(412, 'It was changed in the meantime.', 'Read it again and repeat the change.'),
  'claim.unknown': entry(
    403,
    'This claim link is not valid or was used already.',
    'Run `kalnet up` again for the current address, or `kalnet user reset-owner`.',
  ),
  'provider.unreachable': entry(
    502,
    'The identity provider does not answer as it should: {problem}.',
    'Check its address; a network of your own must be allowed in kalnet.yaml (outbound.allow).',
  ),
  'provider.metadata': entry(
    422,
    'This is not the metadata of a SAML identity provider: {problem}.',
    'Export it from the provider once more.',
  ),
  'provider.refused': entry(
    403,
    'The identity provider did not let you in: {problem}.',
    'Try again, or ask whoever looks after it.',
  ),
  'provider.answer': entry(
    403,
    'What came back from the identity provider is not to be trusted.',
    'Begin again on the sign-in page. If it stays, tell your administrator.',
  ),
  'provider.flow': entry(
    403,
    'This way of signing in was not begun in this browser, or took too long.',
    'Begin again on the sign-in page.',
  ),
  'provider.stranger': entry(
    403,
    'Your account there belongs to nobody here yet.',
    'Sign in as you usually do and link it on your account page, or ask to be invited.',
  ),
  'provider.email-taken': entry(
    409,
    'Somebody here has the same e-mail address already.',
    'Sign in as you usually do, then link the account on your account page.',
  ),
  'provider.no-email': entry(
    403,
    'The identity provider did not tell your e-mail address.',
    'Ask whoever looks after it to pass it on.',
  ),
  'provider.off': entry(
    403,
    'Your account here is switched off.',
    'Ask an owner or admin of your organisation.',
  ),
  'provider.link-taken': entry(
    409,
    'This account is linked with somebody already.',
    'Unlink it there first, or choose another account.',
  ),
  'provider.last-way': entry(
    409,
    'This is your last way to sign in.',
    'Set a password or add a passkey first.',
  ),
  'provider.address': entry(
    409,
    'This works at the address {address} only.',
    'Open Kalnet there and try again.',
  ),
  'permission.denied': entry(403, 'You may not do that here.', 'Ask an owner or admin of your organisation.'),
  'consent.unknown': entry(
    410,
    'This took too long, or was begun in another browser.',
    'Go back to the app and sign in from there once more.',
  ),
  'app.closed': entry(403, '{name} is not open to you.', 'Ask an owner or admin of your organisation.'),
  'app.proof': entry(
    403,
    '{name} asks for a stronger proof of who you are.',
    'Set up an authenticator app or a passkey on your account page, then sign in again with it.',
  ),
  'forward-route.taken': entry(
    409,
    '{host}{pathPrefix} is guarded already.',
    'Change that entry, or choose another address.',
  ),
  'forward-route.unknown': entry(
    404,
    'This address is not known here.',
    'Check it, or ask whoever looks after Kalnet to add it.',
  ),
  'person.self': entry(403, 'Nobody does that to himself.', 'Ask another owner or admin.'),
  'person.owner': entry(403, 'Only an owner may do that to an owner.', 'Ask an owner of your organisation.'),
  'person.above': entry(
    403,
    'That role is above your own.',
    'Choose a role up to your own, or ask an owner of your organisation.',
  ),
  'person.last-owner': entry(
    409,
    'This is the only owner: without one nobody could manage this organisation.',
    'Make somebody else an owner first.',
  ),
  'person.email-taken': entry(
    409,
    'Somebody here has this e-mail address already.',
    'Use another address, or sign in with that account.',
  ),
  'group.name-taken': entry(409, 'There is a group of that name already.', 'Choose another name.'),
  'invitation.open': entry(
    409,
    'This address has an open invitation already.',
    'Send that one again, or take it back first.',
  ),
  'invitation.unknown': entry(
    403,
    'This invitation is not valid any more, or was used already.',
    'Ask whoever invited you for a new one.',
  ),
  'organisation.claimed': entry(
    409,
    'There is an organisation of that name already.',
    'Choose another name; see `kalnet organisation list`.',
  ),
  'organisation.unclaimed': entry(
    409,
    'Nobody has claimed this Kalnet yet: there is no household or team that this could belong to.',
    'Open the claim link first; `kalnet up` prints it.',
  ),
} satisfies Record<string, ErrorEntry>
