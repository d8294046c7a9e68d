/** Data: words of the ways in: sign-in, second factor, forgotten password, a second way that is asked for, proving oneself once more. */

// Sign in
export const forgot = 'Forgot your password?'
export const orElse = 'or'
export const passkeySignIn = 'Use a passkey instead'
export const passkeyNone = 'No passkey was used.'
export const passkeyNoneNext =
  'Try again, or sign in another way. A passkey works on the device, or in the password manager, that it was made with.'
export const passkeyBroken = 'The browser could not use a passkey.'
export const passkeyBrokenNext = 'Try again, or take another way.'
export const tooMany = 'Too many tries'
export const tooManyNext = (seconds: number) => `You can try again in ${waitWords(seconds)}.`
export const tooManyOver = 'You can try again now.'
const waitWords = (seconds: number) => {
  if (seconds < 60) return `${seconds} s`
  const rest = seconds % 60
  return rest ? `${Math.floor(seconds / 60)} min ${rest} s` : `${Math.floor(seconds / 60)} min`
}
export const beginAgain = 'That took too long, or was tried too often.'
export const beginAgainNext = 'Begin again with your password. Your e-mail is still here.'
export const back = 'Back'

// Second factor
export const factorTitle = 'One more step'
export const factorTotpText = 'Write the six digits that your authenticator app shows for Kalnet.'
export const factorRecoveryText = 'Write one of the recovery codes that you kept. Each of them works once.'
export const factorPasskeyText = 'Show that it is you with the fingerprint, face or PIN of your device.'
export const factorCode = 'Six digits'
export const factorRecoveryCode = 'Recovery code'
export const factorRecoveryExample = 'abcd-efgh-jkmn-…'
export const factorCodeShort = 'Write all six digits.'
export const factorCodeMissing = 'Write a recovery code.'
export const factorWrong = 'That code is not right.'
export const factorWrongNext = (left: number | null) => {
  if (left === null) return 'Wait for the next code, or check the clock of your phone.'
  if (left <= 0) return 'That was the last try: begin again with your password.'
  return left === 1 ? 'One try is left. Wait for the next code.' : `${left} tries are left.`
}
export const recoveryWrongNext = (left: number | null) => {
  if (left === null || left > 1)
    return left === null ? 'Each code works once: try another one.' : `${left} tries are left.`
  return left === 1 ? 'One try is left.' : 'That was the last try: begin again with your password.'
}
export const factorGo = 'Go on'
export const factorUsePasskey = 'Use a passkey'
export const factorUseTotp = 'Use the authenticator app'
export const factorUseRecovery = 'Use a recovery code'
export const factorOther = 'Another way'
export const factorOtherAccount = 'Sign in as somebody else'

// Forgotten password
export const forgotTitle = 'A new password'
export const forgotText = 'Tell us your e-mail address. We send you a link that works once, for 30 minutes.'
export const forgotSend = 'Send the link'
export const forgotSentTitle = 'Look into your mail'
export const forgotSentText = (address: string) =>
  `If somebody here has the address ${address}, a letter is on its way to it. Open the link in it within 30 minutes.`
export const forgotSentHint = 'Nothing came? Look among the unwanted mail, or try again in a few minutes.'
export const forgotNoMail =
  'This Kalnet sends no mail. Ask an owner or admin of your household or team: under Settings, People they can hand you a link for a new password.'
export const forgotNoMailOwner =
  'Are you the owner? Then run “kalnet user reset-owner” on the machine: it prints a link.'
export const backToSignIn = 'Back to signing in'
export const setPasswordTitle = 'Choose a new password'
export const setPasswordText = 'It replaces the one you forgot. You are signed out everywhere else.'
export const setPasswordAction = 'Take this password'
export const resetNoToken = 'This page needs a link'
export const resetNoTokenText = 'Ask for a new one on the sign-in page, or open the one in your mail again.'

// A second way is asked for
export const unprovedTitle = 'A second way to know that it is you'
export const unprovedText = (organisation: string) =>
  `${organisation} asks for one more proof than your password. Set it up once, in about a minute; then everything is as you know it.`
export const unprovedPasskey = 'A passkey'
export const unprovedPasskeyText =
  'The fingerprint, face or PIN of this device. The quickest way, and nothing to remember.'
export const unprovedTotp = 'An authenticator app'
export const unprovedTotpText = 'An app on your phone shows six digits that you write when you sign in.'
export const unprovedHave = 'You have a second way already: prove it once, and go on.'
export const unprovedProve = 'Prove it now'

// Proving oneself once more
export const stepUpTitle = 'Is it you?'
export const stepUpText = 'This is an important change, so please confirm once more who you are.'
export const stepUpPassword = 'Your password'
export const stepUpConfirm = 'Confirm'
export const stepUpByPassword = 'Use the password'
export const stepUpNone =
  'You cannot confirm it on this sign-in. Sign out, sign in again, and make the change within ten minutes.'
export const stepUpWrong = 'That is not right.'
export const stepUpWrongNext = 'Check it and try again.'
export const stepUpAt = (provider: string) => `Confirm at ${provider}`
export const stepUpAtText = 'You come back to this page; then make the change once more.'
