/** Letters leave here, by the mail server of the configuration; without one nothing is sent, and who asks can know it beforehand. */
import type { Config } from '@kalnet/contracts/config'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import { createTransport } from 'nodemailer'

export interface Letter {
  to: { name: string; address: string }
  subject: string
  text: string
}
export interface Mail {
  configured: boolean
  /** Resolves when the mail server has taken it; tries again twice. Does nothing when there is no mail server. */
  send(letter: Letter): Promise<void>
  /** For the log: a letter that nobody waits for did not get out. Never says who it was for. */
  failed(error: unknown): void
  close(): void
}

const TRIES = 3
const PAUSE_MS = 2_000
const PATIENCE_MS = 15_000
/** A name could carry a line break into the headers, or a list of further addresses. */
const plain = (text: string) => text.replace(/[\r\n"<>,;]/g, ' ').trim()

export function createMail(options: { config: Config['mail']; clock: Clock; log: Log }): Mail {
  const { config, clock, log } = options
  const { from, smtpUrl } = config
  const closing = new AbortController()
  const failed = (error: unknown) =>
    log.warn(
      { problem: error instanceof Error ? error.message : String(error) },
      'a letter could not be sent',
    )
  if (!from || !smtpUrl)
    return { configured: false, send: () => Promise.resolve(), failed, close: () => undefined }
  const limits = { connectionTimeout: PATIENCE_MS, greetingTimeout: PATIENCE_MS, socketTimeout: PATIENCE_MS }
  const transport = createTransport({
    url: smtpUrl,
    ...limits,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    configured: true,
    async send({ to, subject, text }) {
      for (let turn = 1; ; turn += 1) {
        try {
          await transport.sendMail({
            from,
            to: { name: plain(to.name), address: to.address },
            subject: plain(subject),
            text,
          })
          return
        } catch (error) {
          if (turn >= TRIES || closing.signal.aborted) throw error
          await clock.sleep(PAUSE_MS * turn, closing.signal)
        }
      }
    },
    failed,
    close() {
      closing.abort()
      transport.close()
    },
  }
}
