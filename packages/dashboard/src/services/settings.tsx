/** What can be changed about a service, and the way to remove it. */
import type { Service } from '@kalnet/contracts/service'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { later } from '../ui/later.tsx'
import { Card, ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { know } from './actions.ts'
import css from './page.module.css'
import { Passwords } from './passwords.tsx'
import { replicasProblem, tagsOf, tagsProblem } from './settings-text.ts'

const Remove = later(() => import('./remove.tsx'))
const Forget = later(() => import('./forget.tsx'))

function Change({ service }: { service: Service }) {
  const managed = service.kind === 'managed'
  const [title, setTitle] = useState(service.title)
  const [replicas, setReplicas] = useState(String(service.replicas))
  const [tags, setTags] = useState(service.metadata.tags.join(', '))
  const [tried, setTried] = useState(false)
  const problems = {
    title: nameProblem(title),
    replicas: managed ? replicasProblem(replicas) : undefined,
    tags: tagsProblem(tags),
  }
  const save = useMutation({
    mutationFn: () =>
      call(ROUTES.services.change, {
        params: { id: service.id },
        body: {
          title: title.trim(),
          metadata: { ...service.metadata, tags: tagsOf(tags) },
          ...(managed && Number(replicas) !== service.replicas && { replicas: Number(replicas) }),
        },
      }).then(know),
    onSuccess: () => toast({ tone: 'good', text: m.serviceSaved }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!Object.values(problems).some(Boolean)) save.mutate()
  }
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      {save.error && <ErrorBox problem={save.error} />}
      <Field
        label={m.serviceTitle}
        help={m.serviceTitleHelp}
        maxLength={60}
        value={title}
        onChange={setTitle}
        problem={tried ? problems.title : undefined}
      />
      {managed && (
        <Field
          label={m.serviceReplicas}
          help={m.serviceReplicasHelp}
          inputMode="numeric"
          maxLength={2}
          value={replicas}
          onChange={setReplicas}
          problem={tried ? problems.replicas : undefined}
        />
      )}
      <Field
        label={m.serviceTags}
        help={m.serviceTagsHelp}
        maxLength={600}
        value={tags}
        onChange={setTags}
        problem={tried ? problems.tags : undefined}
      />
      <div>
        <Button type="submit" look="primary" isPending={save.isPending}>
          {m.save}
        </Button>
      </div>
    </form>
  )
}

export default function Settings({ service }: { service: Service }) {
  const [removing, setRemoving] = useState(false)
  const managed = service.kind === 'managed'
  const close = () => setRemoving(false)
  return (
    <div className={css.columns}>
      <Card label={m.serviceSettings}>
        <section className={css.section}>
          <h2>{m.serviceSettings}</h2>
          <Change service={service} />
        </section>
      </Card>
      {managed && <Passwords service={service} />}
      <Card label={managed ? m.serviceRemoveHead : m.serviceForget}>
        <section className={css.section}>
          <h2>{managed ? m.serviceRemoveHead : m.serviceForget}</h2>
          <p className={css.quiet}>{managed ? m.serviceRemoveSay : m.serviceForgetText}</p>
          <div>
            <Button look="danger" onPress={() => setRemoving(true)}>
              {managed ? m.serviceRemove : m.serviceForget}
            </Button>
          </div>
        </section>
      </Card>
      {removing && managed && <Remove service={service} onClose={close} />}
      {removing && !managed && <Forget service={service} onClose={close} />}
    </div>
  )
}
