/** On the way to a guarded address: whoever is signed in is taken on with a one-use code. */
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { ApiProblem, call, ROUTES } from '../api.ts'
import { Door } from '../identity/door.tsx'
import * as m from '../messages/index.ts'
import { LinkButton } from '../ui/button.tsx'
import css from './apps.module.css'

export default function Enter() {
  const asked = new URLSearchParams(location.search)
  const [to, state] = [asked.get('to'), asked.get('state')]
  const enter = useMutation({
    mutationFn: (body: { to: string; state: string }) => call(ROUTES.forwards.enter, { body }),
    // The server names the host: one that is guarded here.
    onSuccess: (answer) => location.replace(answer.to),
  })
  const begun = useRef(false)
  useEffect(() => {
    if (begun.current || !to || !state) return
    begun.current = true
    enter.mutate({ to, state })
  }, [to, state, enter.mutate])
  if (!to || !state)
    return (
      <Door title={m.enterAgain} text={m.enterAgainText}>
        <div className={css.buttons}>
          <LinkButton href="/">{m.appHome}</LinkButton>
        </div>
      </Door>
    )
  if (!enter.error) return <Door title={m.enterTitle} text={m.enterText} />
  const { error } = enter
  const isClosed = error instanceof ApiProblem && error.code === 'app.closed'
  return (
    <Door title={isClosed ? m.enterClosed : m.appProblemTitle} text={error.message}>
      <p className={css.quiet}>{error instanceof ApiProblem ? error.next : m.enterAgainText}</p>
      <div className={css.buttons}>
        <LinkButton href="/">{m.appHome}</LinkButton>
      </div>
    </Door>
  )
}
