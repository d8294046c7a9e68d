/** Who I am here: name, and what others decided. */
import type { Me } from '@kalnet/contracts/identity'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { useRoleWords } from '../people/queries.ts'
import { queryClient } from '../queries.ts'
import css from '../settings/settings.module.css'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Card, ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'

export function Profile({ me }: { me: Me }) {
  const words = useRoleWords()
  const [name, setName] = useState(me.name)
  const change = useMutation({
    mutationFn: () => call(ROUTES.identity.changeMe, { body: { name } }),
    onSuccess: (next) => {
      queryClient.setQueryData(['me'], next)
      toast({ tone: 'good', text: m.meSaved })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nameProblem(name)) change.mutate()
  }
  return (
    <Card label={m.meAccount}>
      <form className={css.form} onSubmit={submit} noValidate>
        <h2>{m.meAccount}</h2>
        {change.error && <ErrorBox problem={change.error} />}
        <Field
          label={m.meName}
          autoComplete="name"
          maxLength={60}
          value={name}
          onChange={setName}
          problem={nameProblem(name)}
        />
        <dl className={css.facts}>
          <dt>{m.email}</dt>
          <dd>{me.email}</dd>
          <dt>{m.meRole}</dt>
          <dd>{words[me.role]}</dd>
          <dt>{m.meHousehold}</dt>
          <dd>{me.organisationName}</dd>
          {me.signedInAt && (
            <>
              <dt>{m.meSignInSince}</dt>
              <dd>
                <Ago at={me.signedInAt} />
              </dd>
            </>
          )}
        </dl>
        <div>
          <Button
            type="submit"
            look="primary"
            isDisabled={name.trim() === me.name}
            isPending={change.isPending}
          >
            {m.save}
          </Button>
        </div>
      </form>
    </Card>
  )
}
