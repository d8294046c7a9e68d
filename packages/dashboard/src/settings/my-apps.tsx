/** Two cards of the account page: apps that know me, and app passwords. */
import type { AppPassword } from '@kalnet/contracts/forward'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import css from '../apps/apps.module.css'
import { appPasswordsQuery, myAppsQuery, placesQuery } from '../apps/queries.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Card, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'

const NewAppPassword = later(() => import('../apps/new-app-password.tsx'))

export function MyApps() {
  const { data, error, isPending, refetch } = useQuery(myAppsQuery)
  const forget = useMutation({
    mutationFn: ({ id }: { id: string; name: string }) => call(ROUTES.apps.forget, { params: { id } }),
    onSuccess: async (_, { name }) => {
      await queryClient.invalidateQueries({ queryKey: ['my-apps'] })
      toast({ tone: 'good', text: m.myAppForgotten(name) })
    },
    onError: tellProblem,
  })
  return (
    <Card label={m.myAppsTitle}>
      <div className={css.form}>
        <div>
          <h2>{m.myAppsTitle}</h2>
          <p className={css.quiet}>{data?.items.length === 0 ? m.myAppsEmpty : m.myAppsText}</p>
        </div>
        {isPending && <Skeleton height="44px" />}
        {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
        {data && data.items.length > 0 && (
          <ul className={css.list}>
            {data.items.map(({ id, name, since }) => (
              <li key={id} className={css.item}>
                <div className={css.rowWords}>
                  <strong>{name}</strong>
                  <span className={css.quiet}>
                    {m.myAppSince} <Ago at={since} />
                  </span>
                </div>
                <Button
                  aria-label={`${m.myAppForget}: ${name}`}
                  isPending={forget.isPending && forget.variables.id === id}
                  onPress={() => forget.mutate({ id, name })}
                >
                  {m.myAppForget}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  )
}

function Password({ it }: { it: AppPassword }) {
  const end = useMutation({
    mutationFn: () => call(ROUTES.forwards.removePassword, { params: { id: it.id } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['app-passwords'] })
      toast({ tone: 'good', text: m.appPasswordEnded(it.name) })
    },
    onError: tellProblem,
  })
  return (
    <li className={css.item}>
      <div className={css.rowWords}>
        <strong>{it.name}</strong>
        <span className={css.quiet}>
          {it.host} ·{' '}
          {it.lastUsedAt ? (
            <>
              {m.appPasswordUsed} <Ago at={it.lastUsedAt} />
            </>
          ) : (
            m.appPasswordNever
          )}
        </span>
      </div>
      <Button
        aria-label={`${m.appPasswordEnd}: ${it.name}`}
        isPending={end.isPending}
        onPress={() => end.mutate()}
      >
        {m.appPasswordEnd}
      </Button>
    </li>
  )
}

export function AppPasswords() {
  const { data, error, refetch } = useQuery(appPasswordsQuery)
  const places = useQuery(placesQuery)
  const [adding, setAdding] = useState(false)
  const nowhere = places.data?.items.length === 0
  return (
    <Card label={m.appPasswordsTitle}>
      <div className={css.form}>
        <div>
          <h2>{m.appPasswordsTitle}</h2>
          <p className={css.quiet}>{nowhere ? m.appPasswordsNowhere : m.appPasswordsText}</p>
        </div>
        {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
        {data && data.items.length > 0 && (
          <ul className={css.list}>
            {data.items.map((it) => (
              <Password key={it.id} it={it} />
            ))}
          </ul>
        )}
        {places.data && !nowhere && (
          <div>
            <Button icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
              {m.appPasswordAdd}
            </Button>
          </div>
        )}
      </div>
      {adding && <NewAppPassword places={places.data?.items ?? []} onClose={() => setAdding(false)} />}
    </Card>
  )
}
