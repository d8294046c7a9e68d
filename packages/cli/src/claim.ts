/** What `up` prints at the end: the claim link while nobody owns this installation, the address afterwards. */
import { localRoutes } from '@kalnet/contracts/local'
import { readFingerprint } from '@kalnet/server/core/tls'
import qrcode from 'qrcode'
import type { Context } from './context.ts'
import { lanAddresses } from './lan/addresses.ts'
import type { SupervisorStatus } from './supervisor/state.ts'

/** The link that makes the owner; null when there is one already. */
export async function claimLink({ api, signal }: Context): Promise<string | null> {
  const { link } = await api.call(localRoutes.claimLink, { signal })
  return link?.url ?? null
}

export async function printAddress(
  it: Context,
  status: SupervisorStatus,
  link: string | null,
): Promise<void> {
  const { output, folders } = it
  const address = link ?? status.url ?? ''
  const lines = link
    ? ['', 'Open this link to make your account. It works once:', '', `  ${link}`, '']
    : ['', `Kalnet runs at ${address}`, '']
  const fingerprint = status.lan ? await readFingerprint(folders.config) : null
  if (fingerprint) {
    lines.push(
      await qrcode.toString(address, { type: process.stdout.isTTY ? 'terminal' : 'utf8', small: true }),
    )
    lines.push('Scan it with a phone on the same network. The phone asks whether to trust this')
    lines.push("machine's own authority; its fingerprint (SHA-256) must be:", `  ${fingerprint}`, '')
    const others = lanAddresses().filter((one) => !address.includes(one))
    if (others.length > 0) lines.push(`Also at: ${others.join(', ')}`, '')
  }
  output.result(lines, { url: status.url, claim: link, lan: status.lan, fingerprint, pid: status.pid })
}
