/** A one-use link for somebody else, printed with its QR code for a phone beside this screen. */
import type { HandedLink } from '@kalnet/contracts/people'
import qrcode from 'qrcode'

export async function linkLines(link: HandedLink, words: string): Promise<string[]> {
  const type = process.stdout.isTTY ? 'terminal' : 'utf8'
  const until = link.expiresAt.slice(0, 16).replace('T', ' ')
  return [
    words,
    '',
    `  ${link.url}`,
    '',
    await qrcode.toString(link.url, { type, small: true }),
    `It works once, until ${until} UTC.`,
  ]
}

/** For `--json`: the squares are for screens. */
export const plainLink = ({ url, expiresAt }: HandedLink) => ({ url, expiresAt })
