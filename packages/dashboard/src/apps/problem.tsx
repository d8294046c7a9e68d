/** What the provider could not do, in words; the word for whoever looks after the app beside it. */
import { Door } from '../identity/door.tsx'
import * as m from '../messages/index.ts'
import { LinkButton } from '../ui/button.tsx'
import css from './apps.module.css'

export default function AppProblem() {
  const code = new URLSearchParams(location.search).get('code') ?? ''
  // Only the protocol's own words: nobody writes on our page by an address.
  const known = /^[a-z_]{1,40}$/.test(code) ? code : ''
  const old = known === '' || known === 'session_not_found' || known === 'invalid_request'
  return (
    <Door title={m.appProblemTitle} text={old ? m.appProblemOld : m.appProblemText}>
      {known && <code className={css.word}>{known}</code>}
      <div className={css.buttons}>
        <LinkButton href="/">{m.appHome}</LinkButton>
      </div>
    </Door>
  )
}
