/** Passwords that were made for a service: shown one at a time, to somebody who has just proved who they are. */
import type { Service } from '@kalnet/contracts/service'
import { useMutation, useQuery } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Card, CopyButton, ErrorBox } from '../ui/parts.tsx'
import css from './page.module.css'
import { passwordsQuery } from './queries.ts'

function Password({ service, name, label }: { service: Service; name: string; label: string }) {
  // Kept in this line alone: it is gone when the page is left.
  const show = useMutation({
    mutationFn: () => call(ROUTES.serviceSecrets.show, { params: { id: service.id, name } }),
    gcTime: 0,
  })
  return (
    <div className={css.password}>
      <span>{label}</span>
      {show.data ? (
        <>
          <code>{show.data.secret}</code>
          <CopyButton text={show.data.secret} />
        </>
      ) : (
        <Button
          aria-label={m.servicePasswordShow(label)}
          isPending={show.isPending}
          onPress={() => show.mutate()}
        >
          {m.show}
        </Button>
      )}
      {show.error && <ErrorBox problem={show.error} />}
    </div>
  )
}

export function Passwords({ service }: { service: Service }) {
  const { data } = useQuery(passwordsQuery(service.id))
  if (!data || data.items.length === 0) return null
  return (
    <Card label={m.servicePasswords}>
      <section className={css.section}>
        <h2>{m.servicePasswords}</h2>
        <p className={css.quiet}>{m.servicePasswordsText}</p>
        {data.items.map((it) => (
          <Password key={it.name} service={service} {...it} />
        ))}
      </section>
    </Card>
  )
}
