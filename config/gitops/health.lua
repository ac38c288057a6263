-- The health of every kind of agentidentity.dev, for Argo CD. It reads the conditions as kstatus does,
-- which Flux and kubectl wait go by; but what people have suspended is Suspended, not Degraded.
local health = {status = "Progressing", message = "the operator has not looked at it yet"}
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "it is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local ready, stalled
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then ready = condition end
  if condition.type == "Stalled" and condition.status == "True" then stalled = condition end
end
if ready == nil then
  return health
end
if ready.observedGeneration ~= obj.metadata.generation then
  health.message = "the operator has not looked at the latest change yet"
  return health
end
health.message = ready.message
if ready.status == "True" then
  health.status = "Healthy"
elseif ready.reason == "Suspended" or ready.reason == "Quarantined" or ready.reason == "Expired" then
  health.status = "Suspended"
elseif stalled ~= nil then
  health.status = "Degraded"
end
return health
