/** The letter of an invitation, in plain words and plain text. */
import type { Clock } from '@kalnet/io/clock'
import type { Mail } from '../core/mail.ts'
import type { Made } from './invitations.ts'

/** Whoever invites waits this long to hear that it was sent; the link is on the screen anyway. */
const PATIENCE_MS = 6_000

const dayOf = (at: string) => at.slice(0, 10)

export const letterOf = ({
  invitation,
  link,
  organisation,
}: Made & { organisation: string }): string => `Hello,

${invitation.invitedBy ?? 'Somebody'} invites you to ${organisation} on Kalnet. Open this link to make your account; it works once, until ${dayOf(link.expiresAt)}:

  ${link.url}

If you do not know what this is about, there is nothing to do.
`

/** True: the mail server has taken it. Late or failed: the log says so, and the letter may still arrive. */
export async function mailInvitation(
  { mail, clock }: { mail: Mail; clock: Clock },
  made: Made & { organisation: string },
): Promise<boolean> {
  const { email } = made.invitation
  if (!mail.configured || !email) return false
  const late = new AbortController()
  const sent = mail
    .send({
      to: { name: '', address: email },
      subject: `${made.invitation.invitedBy ?? 'Somebody'} invites you to ${made.organisation}`,
      text: letterOf(made),
    })
    .then(
      () => true,
      (error: unknown) => {
        mail.failed(error)
        return false
      },
    )
  const result = await Promise.race([sent, clock.sleep(PATIENCE_MS, late.signal).then(() => false)])
  late.abort()
  return result
}
