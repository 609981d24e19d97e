package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/pack/azureapp"
)

func TestAzureCommandsNameWhatTheFunctionsNeed(t *testing.T) {
	t.Parallel()
	bundled, err := azureapp.Read(filepath.Join("..", azureApp))
	if err != nil {
		t.Fatal(err)
	}
	none, prefix := "none", ""
	for name, tt := range map[string]struct {
		plan, function string
		change         func(a *azureapp.App)
		want, not      []string
	}{
		"flex": {
			plan: "flex", function: "http",
			want: []string{
				"--runtime custom --runtime-version 1.0", "--flexconsumption-location", "config-zip --resource-group $RG --name $APP --src a.zip",
				"func azure functionapp publish $APP", "functionKeys.default", "https://$APP.azurewebsites.net/api/score --data @sample.json",
			},
			not: []string{"appsettings", "NAMESPACE"},
		},
		"consumption": {plan: "consumption", function: "http", want: []string{"--runtime custom --os-type Linux --functions-version 4", "--consumption-plan-location"}},
		"premium":     {plan: "premium", function: "http", want: []string{"--sku EP1 --is-linux true", "--os-type Linux", "--plan $APP-plan"}},
		"container": {
			plan: "container", function: "servicebus",
			want: []string{"ENV AzureWebJobsScriptRoot=", "COPY app/ /home/site/wwwroot\n", "--out app/", "environment: ServiceBusConnection\n"}, not: []string{"az "},
		},
		"container with storage": {plan: "container", function: "queue", want: []string{"environment: AzureWebJobsStorage\n"}},
		"queue":                  {plan: "flex", function: "queue", want: []string{"queue create --account-name $STORAGE --name score-in", "--name score-out", "$(base64 -w0 sample.json)"}},
		"plain queue": {
			plan: "flex", function: "queue", change: func(a *azureapp.App) { a.Host.Extensions.Queues.Encoding = &none },
			want: []string{"$(cat sample.json)"},
		},
		"blob": {
			plan: "flex", function: "blob",
			want: []string{"container create --account-name $STORAGE --name scored", "webhooks/blobs?functionName=Host.Functions.blob&code=$KEY", "containers/incoming/"},
		},
		"event grid": {
			plan: "flex", function: "eventgrid",
			want: []string{"SCOREFN_OUTPUT=https://$STORAGE.blob.core.windows.net/scored", "containers/arrivals/", "/functions/eventgrid", "Storage Blob Data Contributor"},
		},
		"input blob of an event": {
			plan: "flex", function: "eventgrid", change: func(a *azureapp.App) {
				a.Functions[0].Bindings = append(a.Functions[0].Bindings, azureapp.Binding{Type: "blob", Direction: "in", Path: "{data.url}"})
			},
			not: []string{"{data.url}"},
		},
		"service bus": {plan: "flex", function: "servicebus", want: []string{" BUS=NAMESPACE\n", "namespace create --resource-group $RG --location $LOCATION --name $BUS\n", `ServiceBusConnection="$(az servicebus`}, not: []string{"HUBS"}},
		"topic": {
			plan: "flex", function: "servicebus", change: func(a *azureapp.App) {
				b := &a.Functions[0].Bindings[0]
				b.QueueName, b.TopicName, b.SubscriptionName = "", "jobs", "%WHO%"
				a.Functions[0].Bindings = append(a.Functions[0].Bindings, azureapp.Binding{Type: "serviceBus", TopicName: "done", SubscriptionName: "all"})
			},
			want: []string{
				"servicebus topic create --resource-group $RG --namespace-name $BUS --name jobs\n", "WHO=VALUE",
				"servicebus topic subscription create --resource-group $RG --namespace-name $BUS --topic-name done --name all\n",
			},
			not: []string{"queue create --resource-group $RG --namespace-name $BUS --name \n", "--name %WHO%"},
		},
		"event hub": {plan: "flex", function: "eventhub", want: []string{" HUBS=NAMESPACE\n", "namespace create --resource-group $RG --location $LOCATION --name $HUBS\n", `EventHubConnection="$(az eventhubs`}, not: []string{"BUS="}},
		"timer":     {plan: "flex", function: "timer", not: []string{"appsettings", "# call"}},
		"anonymous": {
			plan: "flex", function: "http", change: func(a *azureapp.App) { a.Functions[0].Bindings[0].AuthLevel = "anonymous" },
			want: []string{"curl https://"}, not: []string{"KEY"},
		},
		"admin": {plan: "flex", function: "http", change: func(a *azureapp.App) { a.Functions[0].Bindings[0].AuthLevel = "admin" }, want: []string{"masterKey"}},
		"no prefix, no route": {
			plan: "flex", function: "http", want: []string{"azurewebsites.net/http --data"},
			change: func(a *azureapp.App) {
				a.Host.Extensions.HTTP.RoutePrefix, a.Functions[0].Bindings[0].Route = &prefix, ""
			},
		},
		"names that are settings": {
			plan: "flex", function: "queue", change: func(a *azureapp.App) { a.Functions[0].Bindings[0].QueueName = "%QUEUE%" },
			want: []string{"QUEUE=VALUE"}, not: []string{"--name %QUEUE%"},
		},
		"another connection": {
			plan: "flex", function: "queue", change: func(a *azureapp.App) { a.Functions[0].Bindings[0].Connection = "Jobs" },
			want: []string{"Jobs=CONNECTION_STRING"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			d := azureDeploy{w: &out, app: bundled, out: "a.zip", sample: "sample.json"}
			if err := d.app.Select([]string{tt.function}); err != nil {
				t.Fatal(err)
			}
			f := d.app.Functions[0]
			f.Bindings = append([]azureapp.Binding(nil), f.Bindings...)
			d.app.Functions = []azureapp.Function{f}
			for _, p := range azureapp.Plans() {
				if p.Name == tt.plan {
					d.plan = p
				}
			}
			if tt.change != nil {
				tt.change(&d.app)
			}
			d.print()
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing in\n%s", want, out.String())
				}
			}
			for _, not := range tt.not {
				if strings.Contains(out.String(), not) {
					t.Errorf("%q is in\n%s", not, out.String())
				}
			}
		})
	}
}
