/** An app asks who this is: who asks, what it will see, allow or not. Trusted and remembered apps are just gone on to. */
import type { AppScope, ConsentQuestion } from '@kalnet/contracts/app'
import { useMutation, useQuery } from '@tanstack/react-query'
import { AtSign, Fingerprint, Infinity as Forever, User, Users } from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'
import { call, ROUTES } from '../api.ts'
import { Door } from '../identity/door.tsx'
import * as m from '../messages/index.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import css from './apps.module.css'
import { Tile } from './tile.tsx'

const SEES: Record<AppScope, { words: string; icon: ReactNode }> = {
  openid: { words: m.appScopeOpenid, icon: <Fingerprint aria-hidden /> },
  profile: { words: m.appScopeProfile, icon: <User aria-hidden /> },
  email: { words: m.appScopeEmail, icon: <AtSign aria-hidden /> },
  groups: { words: m.appScopeGroups, icon: <Users aria-hidden /> },
  offline_access: { words: m.appScopeOffline, icon: <Forever aria-hidden /> },
}

function Asked({ question, uid }: { question: ConsentQuestion; uid: string }) {
  const { app, me, scopes, state } = question
  const decide = useMutation({
    mutationFn: (decision: 'allow' | 'refuse') =>
      call(ROUTES.apps.decide, { params: { uid }, body: { decision } }),
    // An address of ours, from which the browser is sent on to the app.
    onSuccess: ({ to }) => location.assign(to),
  })
  const begun = useRef(false)
  useEffect(() => {
    if (state !== 'ready' || begun.current) return
    begun.current = true
    decide.mutate('allow')
  }, [state, decide.mutate])
  if (state === 'ready')
    return (
      <Door title={m.appGoingOn(app.name)} text={m.appGoingOnText}>
        {decide.error && (
          <>
            <ErrorBox problem={decide.error} />
            <div className={css.buttons}>
              <Button look="primary" onPress={() => decide.mutate('allow')}>
                {m.tryAgain}
              </Button>
            </div>
          </>
        )}
      </Door>
    )
  return (
    <Door title={m.appAsks(app.name)} text={m.appAsksText(app.host)}>
      {decide.error && <ErrorBox problem={decide.error} />}
      <div className={css.who}>
        <Tile name={me.name} round />
        <div className={css.rowWords}>
          <strong>{m.appAs(me.name)}</strong>
          <span className={css.quiet}>{me.email}</span>
        </div>
      </div>
      <div className={css.sees}>
        <h2>{m.appSees}</h2>
        <ul>
          {scopes.map((scope) => (
            <li key={scope}>
              {SEES[scope].icon}
              {SEES[scope].words}
            </li>
          ))}
        </ul>
      </div>
      <p className={css.quiet}>
        {m.appSeesNot} {m.appUntil}
      </p>
      <div className={css.buttons}>
        <Button
          look="primary"
          isPending={decide.isPending && decide.variables === 'allow'}
          isDisabled={decide.isSuccess}
          onPress={() => decide.mutate('allow')}
        >
          {m.appAllow}
        </Button>
        <Button
          isPending={decide.isPending && decide.variables === 'refuse'}
          isDisabled={decide.isSuccess}
          onPress={() => decide.mutate('refuse')}
        >
          {m.appRefuse}
        </Button>
      </div>
    </Door>
  )
}

export default function Consent() {
  const uid = location.pathname.split('/')[2] ?? ''
  const { data, error } = useQuery({
    queryKey: ['consent', uid],
    staleTime: 0,
    gcTime: 0,
    queryFn: ({ signal }) => call(ROUTES.apps.question, { params: { uid }, signal }),
  })
  if (data) return <Asked question={data} uid={uid} />
  if (!error) return <Door title={m.enterTitle} text={m.appLooking} />
  return (
    <Door title={m.appProblemTitle} text={error.message}>
      <p className={css.quiet}>{'next' in error ? String(error.next) : m.appProblemOld}</p>
      <div className={css.buttons}>
        <LinkButton href="/">{m.appHome}</LinkButton>
      </div>
    </Door>
  )
}
