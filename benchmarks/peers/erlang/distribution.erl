%% Measures Erlang's distribution, between this node and another one:
%%
%%   erl -name there@127.0.0.1 -s distribution serve
%%   erl -name here@127.0.0.1 -s distribution main -extra there@127.0.0.1
%%
%% Prints `workload,operations per second`, and ends both nodes. The counterpart
%% of ours is benchmarks/processes.cc: the numbers of operations, the 100 bytes
%% of a message and the yields are the same.
%%
%% The idiom differs: the server is a gen_server; a sender that is too fast for
%% the connection is suspended by the virtual machine.
-module(distribution).
-behaviour(gen_server).
-export([main/0, serve/0, init/1, handle_call/3, handle_cast/2]).

-define(SENDS_PER_TURN, 256).

%% -- the node that is measured with

serve() ->
    {ok, _} = gen_server:start({local, server}, ?MODULE, [], []),
    register(sink, spawn(fun() -> sink(0) end)).

sink(Count) ->
    receive
        {count, From} ->
            From ! {count, Count},
            sink(0);
        <<_:100/binary>> ->
            sink(Count + 1)
    end.

init([]) -> {ok, none}.

handle_call({square, Number}, _From, State) -> {reply, Number * Number, State}.

handle_cast(_, State) -> {noreply, State}.

%% -- the node that measures

main() ->
    There = list_to_atom(hd(init:get_plain_arguments())),
    connect(There, 1000),
    measure(one_way, fun() -> one_way({sink, There}, 200000) end),
    measure(calls_one_by_one, fun() -> calls(There, 1, 1000) end),
    measure(calls_of_1024, fun() -> calls(There, 1024, 32) end),
    %% Not a cast, which this end would not wait for.
    {badrpc, nodedown} = rpc:call(There, erlang, halt, [0]),
    halt(0).

%% It may not have started yet.
connect(There, 0) -> fail({no_connection, There});
connect(There, Tries) ->
    case rpc:call(There, erlang, whereis, [sink]) of
        Sink when is_pid(Sink) -> ok;
        _ -> receive after 10 -> connect(There, Tries - 1) end
    end.

%% For half a second, after a first time that is not counted.
measure(Name, Work) ->
    Work(),
    {Operations, Nanoseconds} = repeat(Work, 0, erlang:monotonic_time(nanosecond)),
    io:format("~s,~b~n", [Name, round(Operations * 1.0e9 / Nanoseconds)]).

repeat(Work, Operations, Begun) ->
    Now = Operations + Work(),
    case erlang:monotonic_time(nanosecond) - Begun of
        Elapsed when Elapsed > 500000000 -> {Now, Elapsed};
        _ -> repeat(Work, Now, Begun)
    end.

one_way(Sink, Messages) ->
    send(Sink, <<0:800>>, Messages),
    Sink ! {count, self()},
    receive
        {count, Messages} -> Messages;
        {count, Other} -> fail({lost, Messages - Other})
    end.

send(_Sink, _Message, 0) -> ok;
send(Sink, Message, Left) ->
    Sink ! Message,
    if
        Left rem ?SENDS_PER_TURN =:= 0 -> erlang:yield();
        true -> ok
    end,
    send(Sink, Message, Left - 1).

%% Each of so many clients makes one call at a time.
calls(There, Clients, CallsEach) ->
    All = [spawn_monitor(fun() -> ask(There, 0, CallsEach) end)
           || _ <- lists:seq(1, Clients)],
    [receive
         {'DOWN', Monitor, process, Client, normal} -> ok;
         {'DOWN', Monitor, process, Client, Reason} -> fail(Reason)
     end || {Client, Monitor} <- All],
    Clients * CallsEach.

ask(_There, Calls, Calls) -> ok;
ask(There, Number, Calls) ->
    Answer = gen_server:call({server, There}, {square, Number}, infinity),
    Answer = Number * Number,
    ask(There, Number + 1, Calls).

fail(Reason) ->
    io:format(standard_error, "erlang: ~p~n", [Reason]),
    halt(1).
