/** For tests: a real mail server in this process, and what it was given. */
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'

export interface TestMail {
  smtpUrl: string
  letters: { to: string[]; mail: Email }[]
  /** Letters still to be refused, as a busy server does. */
  refuse: number
  end(): Promise<void>
}

export async function testMail(): Promise<TestMail> {
  const letters: TestMail['letters'] = []
  const server = new SMTPServer({
    authOptional: false,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: (auth, _session, done) =>
      auth.username === 'kalnet' && auth.password === 'p@ss'
        ? done(null, { user: 'kalnet' })
        : done(new Error('no such user')),
    onData(stream, session, done) {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => {
        if (test.refuse > 0) {
          test.refuse -= 1
          done(new Error('busy, try again'))
          return
        }
        PostalMime.parse(Buffer.concat(pieces)).then(
          (mail) => {
            letters.push({ to: session.envelope.rcptTo.map((it) => it.address), mail })
            done()
          },
          (error: Error) => done(error),
        )
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  const test: TestMail = {
    smtpUrl: `smtp://kalnet:p%40ss@127.0.0.1:${port}`,
    letters,
    refuse: 0,
    end: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return test
}
